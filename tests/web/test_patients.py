"""The list of patients in pages, and the page of one: numbers with their units, each image behind its value."""

import re
from html import unescape
from pathlib import Path

from rarefactor import live

LIST = "/studies/clinic/patients"
PART = {"hx-request": "true"}


def read_ids(page: str) -> list[str]:
    """The patients' own ids in a page of the list, in their order."""
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)


def follow(client, page: str, rel: str) -> str:
    """Return the page that the pager leads to."""
    return client.get(unescape(re.search(rf'href="([^"]+)" rel="{rel}"', page)[1])).text


def test_patients_are_listed_by_their_own_ids_and_addressed_by_study_ids(web, clinic) -> None:
    clinic.edit("outcome:\n", "  eligibility: [{name: under 60, keep: 'age < 60'}]\noutcome:\n")
    client = web(clinic.folder)
    first = client.get(LIST).text
    pages = first + follow(client, first, "next")
    subjects = live.read_live(clinic.study).cohort.pseudonyms
    assert all(f'/patients/{subject}">{own}</a>' in pages for own, subject in subjects.items())
    assert pages.count("not under 60") == sum("not under 60" in line for line in pages.splitlines()) > 0
    own, subject = next(iter(subjects.items()))
    one = client.get(f"{LIST}/{subject}").text
    assert f"Patient {own}" in one
    assert "day 0" in one
    assert re.search(r'<svg [^>]*role="img" aria-label="Values over time[^"]*Baseline[^"]*">', one, re.IGNORECASE)
    assert client.get(f"{LIST}/{subject}/timeline.svg").text.startswith("<?xml")
    assert client.get(f"{LIST}/S-nobody").status_code == 404


def test_all_are_sorted_before_the_list_is_cut_and_the_order_stays_over_pages(web, clinic) -> None:
    client = web(clinic.folder)
    first = client.get(f"{LIST}?down=1").text
    assert "1–50 of 60 patients" in first
    second = follow(client, first, "next")
    assert "51–60 of 60 patients" in second
    assert read_ids(first) + read_ids(second) == [f"{number:03}" for number in range(60, 0, -1)]
    assert follow(client, second, "prev") == first
    assert client.get(f"{LIST}?down=1&page=99").text == second  # the nearest that there is
    assert client.get(f"{LIST}?down=1&page=none").text == first
    resorted = unescape(re.search(r'id="sort-outcome" href="([^"]+)"', second)[1])
    assert "1–50 of 60" in client.get(resorted).text  # another order begins at its beginning


def test_all_pages_are_looked_through_and_what_is_looked_for_stays(web, clinic) -> None:
    clinic.set_column("id", lambda own: f"P-{own}")
    client = web(clinic.folder)
    found = client.get(f"{LIST}?find=refractory&sort=id&down=1").text
    assert read_ids(client.get(f"{LIST}?find= p-059 ").text) == ["P-059"]
    assert "None of 60 patients holds “&lt;nobody”" in client.get(f"{LIST}?find=<nobody").text
    assert 'value="refractory"' in found
    turned = unescape(re.search(r'id="sort-id" href="([^"]+)"', found)[1])
    assert read_ids(client.get(turned).text) == read_ids(found)[::-1]
    part = client.get(f"{LIST}?find=p-059&sort=study_id", headers=PART).text
    assert part.lstrip().startswith('<div id="list">')
    assert read_ids(part) == ["P-059"]
    assert re.search(r'<p id="found" hx-swap-oob="innerHTML">1–1 of 1 that hold “p-059”, of 60', part)
    assert '<input type="hidden" form="finder" name="sort" value="study_id">' in part


def test_a_patient_leads_back_to_the_page_of_the_list_that_it_is_on(web, clinic) -> None:
    client = web(clinic.folder)
    pages = [client.get(f"{LIST}?page={number}").text for number in (1, 2)]
    last, first = re.findall(rf'"({LIST}/[^"]+)"', pages[0])[-1], re.findall(rf'"({LIST}/[^"]+)"', pages[1])[0]
    before, after = client.get(last).text, client.get(first).text
    assert f'href="{first}"' in before  # the next patient, over the edge of a page
    assert f'href="{LIST}">All patients' in before
    assert f'href="{LIST}?page=2">All patients' in after


def test_a_patients_image_factors_have_units_and_lead_to_the_scan_and_the_slide(web, small_study: Path) -> None:
    client = web(small_study)
    listed = client.get("/studies/anm-srp/slides").text
    slide = re.search(r'"(/studies/anm-srp/slides/(S-\w+?)_baseline_BAFF-R)"', listed)
    assert slide
    page = client.get(f"/studies/anm-srp/patients/{slide[2]}").text
    assert re.search(r"Thigh fat fraction</dt><dd[^>]*>[\d.]+ %<", page)
    assert re.search(r"Fatty infiltration rate of the thighs</dt><dd[^>]*>−?[\d.]+ pp/month<", page.replace("-", "−"))
    images = dict(re.findall(r'href="(/studies/anm-srp/(?:scans|slides)/[^"]+)"[^>]*>([^<]+)<', page))
    scan = f"/studies/anm-srp/scans/{slide[2]}/month_3"
    assert {slide[1], scan} <= set(images)
    assert all(client.get(address).status_code == 200 for address in (slide[1], scan))
    values = re.search(rf'<a href="{scan}" aria-label="[\d.]+, Scan at month 3">([\d.]+)</a>', page)
    assert values
    assert re.search(r"<td>date</td><td>biopsy</td>", page)
    assert "Total Improvement Score" in page
