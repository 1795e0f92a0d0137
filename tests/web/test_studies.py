"""The list of studies, the way into one, and to a new one."""

LONG = "id,visit,date,ck,relapse\n1,start,2020-01-02,812,0\n1,month_12,2021-01-04,50,1\n2,start,2020-02-02,77,0\n"


def ready(client, name):
    return f'href="/studies/{name}"' in client.get("/").text


def test_a_study_folder_is_listed_and_opens_on_its_data(web, clinic):
    client = web(clinic.folder)
    assert "A small study of invented patients" in client.get("/").text
    answer = client.get("/studies/clinic")
    assert answer.status_code == 200
    assert answer.url.path == "/studies/clinic/data"


def test_a_study_that_needs_mending_is_listed_with_the_rest(web, clinic):
    clinic.edit("id: clinic", "idd: clinic")
    page = web(clinic.folder.parent).get("/")
    assert page.status_code == 200
    assert "needs mending" in page.text


def test_an_example_becomes_a_study_and_nothing_is_overwritten(web, tmp_path, wait_for):
    client = web(tmp_path)
    assert client.post("/new/example", data={"name": "mine", "example": "pbc48"}).status_code == 200
    wait_for(lambda: ready(client, "mine"), 60)
    again = client.post("/new/example", data={"name": "mine", "example": "pbc48"})
    assert again.status_code == 422
    assert "nothing is overwritten" in again.text


def test_names_that_lead_elsewhere_are_refused(web, tmp_path):
    client = web(tmp_path / ".")
    for name in ("../away", "/away", ".hidden", "a b", "", "a" * 61, "a\n"):
        assert client.post("/new/example", data={"name": name, "example": "pbc48"}).status_code == 422
    assert list(tmp_path.iterdir()) == []


def test_uploaded_files_become_a_draft_that_says_what_to_fill_in(web, tmp_path, wait_for):
    client = web(tmp_path)
    sent = {"records": ("../../evil.CSV", LONG.encode(), "text/csv")}
    client.post("/new/upload", data={"name": "mine"}, files=sent)
    wait_for(lambda: ready(client, "mine"), 60)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]
    assert (tmp_path / "mine/data/records.csv").read_text(encoding="utf-8") == LONG
    page = client.get("/studies/mine/data").text
    assert "is a draft" in page
    assert "what counts as the event" in page


def test_a_file_that_is_no_table_leaves_nothing_behind(web, tmp_path, wait_for):
    client = web(tmp_path)
    program = {"records": ("a.exe", b"MZ", "application/octet-stream")}
    assert client.post("/new/upload", data={"name": "mine"}, files=program).status_code == 422
    broken = {"records": ("a.xlsx", b"PK\x03\x04 not a workbook", "application/octet-stream")}
    client.post("/new/upload", data={"name": "mine"}, files=broken)
    wait_for(lambda: 'data-state="failed"' in client.get("/").text, 60)
    assert list(tmp_path.iterdir()) == []


def test_no_new_study_is_offered_where_one_alone_is_served(web, clinic):
    client = web(clinic.folder)
    assert "A new study" not in client.get("/").text
    assert client.post("/new/example", data={"name": "x", "example": "pbc48"}).status_code == 422
