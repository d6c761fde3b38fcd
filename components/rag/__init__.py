"""A vector store: where vectors of documents lie, a collection a tenant, sized from their number."""
