"""Words for fields in the headers of other systems and other languages.

Assumed, from the headers that exports of address books, CRMs and spreadsheets have: English, German, French, Spanish and
Dutch. They are for proposals and hints alone, and count only where neither a name nor a label of a field says it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

FIELDS: dict[str, str] = {
    "Account.Name": "company companyname business businessname organization organisation organizationname organization1name "
    "customer customername client clientname firm firma firmenname unternehmen kunde kundenname entreprise societe "
    "raisonsociale nom empresa nombre bedrijf bedrijfsnaam naam klant klantnaam",
    "Lead.Company": "companyname organization organisation organizationname organization1name business businessname account "
    "accountname firm firma firmenname unternehmen entreprise societe empresa bedrijf bedrijfsnaam",
    "Opportunity.Name": "dealname deal",
    "LastName": "surname familyname secondname nachname familienname zuname nom nomdefamille apellido apellidos achternaam",
    "FirstName": "givenname forename christianname vorname rufname prenom nombre nombredepila voornaam",
    "Salutation": "nameprefix prefix honorific anrede civilite tratamiento aanhef",
    "Title": "jobtitle jobposition position role organizationtitle organization1title berufsbezeichnung funktion fonction "
    "poste cargo puesto functie",
    "Department": "organizationdepartment organization1department abteilung departement departamento afdeling",
    "Birthdate": "birthday dateofbirth dob geburtsdatum geburtstag geborenam nele neele "
    "datedenaissance datenaissance nacimiento fechanacimiento fechadenacimiento geboortedatum geborenop",
    "Email": "emailaddress email1 email1value primaryemail workemail businessemail mail emailadresse mailadresse courriel "
    "adresseemail correo correoelectronico emailadres",
    "Phone": "phonenumber phone1 phone1value primaryphone workphone businessphone officephone mainphone companymainphone "
    "telephone telephonenumber tel telno telefon telefon1 telefonnummer rufnummer festnetz tel1 numerodetelephone telefono "
    "telefoon telefoonnummer",
    "MobilePhone": "mobile mobilenumber mobilephonenumber mobileno cell cellphone cellphonenumber cellular handy "
    "handynummer mobil mobilnummer mobiltelefon mobilfunk portable telephoneportable movil telefonomovil mobiel "
    "mobielnummer gsm",
    "HomePhone": "privatephone telefonprivat telephonedomicile",
    "Fax": "faxnumber businessfax telefax faxnummer telecopie",
    "Website": "websiteurl web webpage webaddress url homepage internet internetadresse webseite siteweb siteinternet "
    "sitioweb paginaweb",
    "Description": "note notes comment comments remark remarks bemerkung bemerkungen notiz notizen kommentar beschreibung "
    "remarque remarques commentaire commentaires notas observaciones descripcion opmerking opmerkingen",
    "Industry": "branche sector secteur secteurdactivite industria sectoractiviteit",
    "NumberOfEmployees": "employees employeecount headcount noofemployees mitarbeiter mitarbeiterzahl anzahlmitarbeiter "
    "beschaftigte effectif empleados numerodeempleados medewerkers aantalmedewerkers",
    "AnnualRevenue": "revenue turnover umsatz jahresumsatz chiffredaffaires ingresos facturacion omzet jaaromzet",
    "TickerSymbol": "symbol ticker stocksymbol borsenkurzel",
    "AccountNumber": "accountno accountnr customernumber customerno customernr kundennummer kundennr kdnr numeroclient "
    "numerodecliente klantnummer klantnr",
    "LeadSource": "source herkunft leadquelle",
    "Amount": "dealamount betrag montant importe bedrag",
    "CloseDate": "expectedclosedate abschlussdatum",
    "StageName": "dealstage phase",
}
"""The words for each field, as `plain` spells them. A field of one object alone is named with it."""

ADDRESS_FIELDS: dict[str, str] = {
    "Street": "street streetaddress address address1 address1street addressline1 strasse strassehausnummer str anschrift "
    "adresse rue calle direccion straat adres",
    "City": "city town address1city stadt ort wohnort ville ciudad localidad plaats woonplaats stad",
    "State": "state province region county stateregion address1region bundesland etat estado provincia provincie",
    "PostalCode": "postalcode postcode zip zipcode address1postalcode plz postleitzahl codepostal cp codigopostal",
    "Country": "country countryregion address1country land pays pais",
}
"""The words for each part of an address; the field is named after the kind of address and the part."""

ADDRESSES: dict[str, str] = {
    "": "",
    "Billing": "billing invoice business work rechnungs rechnung facturation",
    "Mailing": "mailing business work home private privat",
    "Shipping": "shipping delivery liefer livraison",
    "Other": "other",
}
"""The words before a part of an address for each kind; without a word it is the first kind that an object has."""


_KINDS_BY_PREFIX = {
    prefix: [kind for kind, prefixes in ADDRESSES.items() if prefix in prefixes.split()]
    for prefix in " ".join(ADDRESSES.values()).split()
}


def plain(text: str) -> str:
    """Return the letters and digits of a name in lower case and without accents: alike for all spellings of the name."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text))).casefold()


@lru_cache(64)
def words_for_fields(object_name: str) -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the words, each with groups of names of fields; the first of each group that an object has is meant.

    Args:
        object_name: the API name of the object.
    """
    groups: dict[str, list[Sequence[str]]] = defaultdict(list)
    for word, names in _words(object_name):
        groups[word].append(names)
    return dict(groups)


def _words(object_name: str) -> Iterator[tuple[str, Sequence[str]]]:
    for field, words in FIELDS.items():
        sobject, _, name = field.rpartition(".")
        if sobject in ("", object_name):
            yield from ((word, (name,)) for word in words.split())
    for part, words in ADDRESS_FIELDS.items():
        for word in words.split():
            yield word, [f"{kind}{part}" for kind in ADDRESSES]
            for prefix in _KINDS_BY_PREFIX:
                yield f"{prefix}{word}", [f"{kind}{part}" for kind in _KINDS_BY_PREFIX[prefix]]
