namespace Ticketing.Api.Tickets;

/// <summary>Builds the control's store over a session.</summary>
public delegate ITicketStore ControlStore(TicketSession session);

/// <summary>Builds the candidate's store over a session. The demo decorates it to plant faults.</summary>
public delegate ITicketStore CandidateStore(TicketSession session);
