"""The checks of rows before their upload to Salesforce."""
