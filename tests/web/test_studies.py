"""The list of studies, and the way into one."""


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
