"""The page of the data: what was read, what does not fit, and the way to it."""


def test_the_rows_that_do_not_fit_are_named_and_their_values_are_only_in_the_download(web, clinic):
    clinic.edit_records("001,base,", "001,base,")
    clinic.set_column("age", lambda age: "997" if age == "41" else age)
    client = web(clinic.folder)
    page = client.get("/studies/clinic/data").text
    assert "a value within the declared limits" in page
    assert "997" not in page
    table = client.get("/studies/clinic/data/failures.csv")
    assert "997" in table.text
    assert "attachment" in table.headers["content-disposition"]


def test_data_that_stop_a_run_are_told_with_what_was_read_all_the_same(web, clinic):
    clinic.set_column("age", lambda age: "997" if age == "41" else age)
    clinic.edit_records("id,event,date,sex", "id,event,day,sex")
    page = web(clinic.folder).get("/studies/clinic/data")
    assert page.status_code == 200
    assert "has to be mended before a run" in page.text


def test_a_search_shows_the_variables_that_bear_the_word(web, clinic):
    client = web(clinic.folder)
    whole = client.get("/studies/clinic/data", params={"find": "SCORE"}).text
    assert "1–1 of 1 that hold “SCORE”, of 6 variables" in whole
    part = client.get("/studies/clinic/data", params={"find": "score"}, headers={"hx-request": "true"}).text
    assert part.lstrip().startswith('<div id="list">')
    assert "<html" not in part
