"""Published clinical instruments as pure functions: arrays in, arrays or frozen values out.

Convention: one element per patient (or patient and visit), NaN where a value is missing; nothing is filled in or
prorated. Totals and grades only: questionnaires and forms are their owners' and are not here.
"""
