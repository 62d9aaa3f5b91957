"""The types of the edge: what requests say and what answers tell, of which the OpenAPI document is made."""
