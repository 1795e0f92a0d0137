"""The page of one patient: numbers with their units, dates on the line of time, each image behind its value."""

import re
from pathlib import Path


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
