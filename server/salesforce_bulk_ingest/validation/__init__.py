"""What is checked of rows before they go to Salesforce."""
