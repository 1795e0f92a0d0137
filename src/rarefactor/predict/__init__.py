"""The risk model of a study: built, kept in a file, applied to a patient, or refused with the reason."""
