//! Who is seated, who is recused, and why.
