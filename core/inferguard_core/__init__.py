"""L1 and L2: read engines, remember, detect. Needs no terminal and imports none.

The way of the data: a `Source` gives a `Poll`; an engine table turns its text into a `Reading`;
`History` keeps readings; `detect` turns windows into findings; `anomalies` and `incidents` give them a life;
`EndpointWatch` joins these for one endpoint and `Monitor` joins the endpoints into a `Frame`.
"""
