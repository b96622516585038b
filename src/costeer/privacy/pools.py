"""What stand-ins are drawn from.

Ordinary names and places, so that models treat them as such; no English words among them, and none
that is the beginning of another. Streets and organisations are put together from the surnames.
"""

from __future__ import annotations

FIRST = tuple(
    """
    Adrian Agnes Alasdair Albin Alice Alvar Amara Andrea Anneke Anselm Anton Arlene Arno Astrid
    Aurelia Barnaby Beatrix Benedict Bertil Bianca Bjarne Brigid Bruno Callum Carlotta Cecily Cedric
    Chiara Clemens Conrad Cordelia Cormac Damian Daphne Declan Delphine Desmond Dorian Edmund Edwin
    Eleanor Elias Elodie Elspeth Emil Enzo Erik Esther Eugenia Evander Fabian Felicity Fergus
    Fiona Florian Freya Gareth Gemma Gerard Gideon Giles Greta Gunnar Gustav Hamish Hannah Harald
    Hedda Helena Henrik Hester Horace Hugo Ida Imogen Ingrid Irina Isolde Ivo Jasper Joachim
    Jocelyn Johanna Jorunn Judith Julian Juliet Kaspar Katya Keira Kilian Klara Konstantin Lambert
    Larissa Leif Leonora Leopold Lionel Lorenz Lucian Ludovic Lydia Magnus Malcolm Marcel Margot
    Matilda Maxine Meredith Mirela Miriam Moritz Muriel Nadia Natasha Nestor Niamh Nicholas Nigel
    Noemi Odette Olaf Olga Orla Oswald Ottilie Pascal Percival Petra Philippa Piers Quentin Ragna
    Raphael Rasmus Regina Roland Rosalind Rufus Rupert Sabine Saskia Sebastian Seraphina Sigrid
    Silas Simone Solveig Stellan Sybil Tabitha Tamsin Thaddeus Thea Tobias Torsten Tristan Ulrich
    Ursula Valentin Vera Viggo Viktor Vincent Viola Walter Wanda Wilma Winifred Xavier Yolanda
    Yvette Zelda Zoran
    """.split()
)

LAST = tuple(
    """
    Abernathy Achterberg Ainsworth Albrecht Ambrose Anderssen Arkwright Ashdown Atherton Aubrey
    Babington Bachmann Ballantyne Bancroft Barnstaple Bassett Beaumont Bellweather Bergstrom
    Birtwistle Blackwood Blumenthal Bogdanov Bradshaw Brandt Braithwaite Brockhurst Calloway
    Carmichael Castellan Cavendish Chadwick Chamberlain Chisholm Claymore Colquhoun Corrigan
    Cresswell Dahlberg Dalrymple Danforth Delacroix Devereux Dietrich Donnelly Dragomir Drummond
    Dunmore Ekstrom Ellsworth Engelhardt Everdeen Fairbanks Falkenberg Farnsworth Featherstone
    Feldmann Fenwick Fitzgerald Fleetwood Forsythe Friedlander Galbraith Gainsborough Gillespie
    Goldsmith Grimaldi Gutenberg Haldane Hargreaves Hartmann Hathaway Hawthorne Hendricks
    Hollingworth Holmqvist Huxtable Ibsen Ingersoll Jankowski Jorgensen Kaminski Karlsson Kellerman
    Kensington Kilbride Kirchner Kowalczyk Kristensen Lancaster Langford Larkspur Leclerc Lindqvist
    Lockhart Lovelace Lundgren Macallan Mackintosh Mandelson Marchetti Marlborough Mayhew
    Merriweather Middleton Montague Morgenstern Nakamoto Nettleton Nightingale Nordstrom
    Norrington Oakley Okonedo Oldfield Ostrowski Ottoman Palmgren Pemberton Penhaligon Pettigrew
    Pfeiffer Pickering Prendergast Pritchard Quartermain Quimby Radcliffe Ravensworth Redgrave
    Reinhardt Rosenthal Rutherford Sandoval Satterfield Schellenberg Sedgwick Shackleton
    Sinclair Skarsgard Somerville Stanhope Steinbeck Stratford Sutherland Swanson Tattersall
    Thackeray Thistlewood Thornbury Tolliver Tremaine Underhill Vanderbilt Villanova Waddington
    Wainwright Wakefield Walsingham Weatherby Wentworth Whitcombe Wigglesworth Winterbourne
    Wolverton Yardley Zetterberg Zimmermann
    """.split()
)

PLACES = tuple(
    """
    Aalborg Aberdeen Adelaide Alicante Amiens Ancona Antwerp Arezzo Augsburg Avignon Basel Bayonne
    Belfast Bergamo Bergen Besancon Bilbao Bologna Bordeaux Brasov Bremen Brescia Brisbane Brno
    Bruges Bucharest Burgos Calgary Canberra Cardiff Catania Clermont Cologne Cordoba Coventry
    Debrecen Delft Dijon Dortmund Dresden Dundee Dunedin Eindhoven Erfurt Esbjerg Exeter Ferrara
    Freiburg Galway Gdansk Geneva Ghent Girona Gothenburg Granada Graz Grenoble Groningen Haarlem
    Halifax Hamburg Hanover Heidelberg Helsinki Hobart Innsbruck Inverness Jena Karlsruhe Kaunas
    Kiel Klagenfurt Kosice Krakow Lausanne Leeds Leicester Leiden Leipzig Limerick Linz Livorno
    Ljubljana Lodz Lublin Lucerne Lyon Maastricht Malaga Malmo Maribor Marseille Messina Minsk
    Modena Montpellier Montreal Murcia Nantes Newcastle Nijmegen Norwich Nuremberg Odense Oulu
    Oviedo Padua Palermo Pamplona Parma Perugia Pescara Pilsen Poznan Ravenna Regensburg Reims
    Rennes Rostock Rotterdam Rouen Salamanca Salzburg Santander Sarajevo Seville Siena Skopje
    Southampton Stavanger Strasbourg Stuttgart Swansea Szeged Tallinn Tampere Tarragona Tartu
    Tilburg Timisoara Toulouse Trieste Trondheim Turin Turku Uppsala Utrecht Valencia Verona Vigo
    Vilnius Warsaw Wellington Winnipeg Wroclaw York Zagreb Zaragoza Zurich
    """.split()
)

ROADS = ("Road", "Street", "Lane", "Avenue", "Terrace", "Crescent")
TRADES = ("Partners", "Associates", "Holdings", "Industries", "Laboratories", "Institute")
AREAS = ("202", "212", "303", "312", "404", "415", "512", "617", "702", "808")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

WORDS_TOO = frozenset(
    """
    abbey amber angel april art ash august autumn basil bath bay bean bell berry bill bishop black
    bloom bob bond brook brooks brown buck buffalo bush butler carol carter case chance charity
    chase chip christian clay cliff cole cook cooper crystal daisy dale dawn day dean destiny dick
    dollar drew duke earl early east eve faith field fisher flint ford forest fox frank french
    gay gene ginger grace grant gray green grey hall harmony hazel heath heather hill holly holmes
    home hope house hunt hunter iris ivory ivy jack jade jasmine jean jet joy june king knight lake
    lance lane law lee lily little london long love luna lynn major march mark mason may melody
    mercy mike miller miles mills mobile moon moore nice noble north olive opal orange page park
    parker paris pat patience pearl penny pepper perry phoenix pierce pine pope porter potter
    power price prince queen rain ray reading red reed rice rich river rob robin rock rod rose ruby
    rush rusty sage sandy scout sharp shell short silver sky small smith south spring star stella
    stone stormy strong sue summer sunny swan taylor temple terry turkey turner van victor violet
    wade walker ward washington water wells west wheat white wild will winter wood woods worth
    young
    """.split()
)
"""Names that are words too: alone, they count as names only with a capital."""
