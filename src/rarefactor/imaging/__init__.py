"""From thigh MRI to one row per patient, visit and muscle, and the rate of fatty infiltration.

Convention: arrays are (slice, row, column), growing toward head, back and the patient's left; a fat fraction is 0 to 1,
a rate is percentage points per month. Nothing here knows what the outcome of a study is.
"""
