namespace Ticketing.Demo.Database;

/// <summary>A ticketing database and how each position connects to it.</summary>
/// <param name="Owner">As the owner of the tables, unpooled. For schema and seed, never for the service.</param>
/// <param name="Served">As the role that answers the user.</param>
/// <param name="Shadow">As the role that runs unseen.</param>
/// <param name="Sandbox">As the role that writes temporary copies and nothing else.</param>
/// <param name="Evidence">As the role that owns the schema <c>shadow</c>.</param>
public sealed record TicketingDatabase(string Name, string Owner, string Served, string Shadow, string Evidence, string Sandbox);
