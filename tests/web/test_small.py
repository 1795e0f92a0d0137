from pathlib import Path
def test_small(small_study: Path) -> None:
    print((small_study/"out"/"measurements"/"mri_rates.csv").read_text()[:300])
