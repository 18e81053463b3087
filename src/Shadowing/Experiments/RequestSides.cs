using Shadowing.Model;

namespace Shadowing.Experiments;

/// <summary>Both sides in a request's own scope. They hold nothing of it, so that each is made once for all calls of the request.</summary>
public sealed class RequestSides(IServiceProvider scope)
{
    private StoreLease<SideScope>? _control;
    private StoreLease<SideScope>? _candidate;

    /// <summary>The side, to run an operation of the request.</summary>
    public StoreLease<SideScope> LeaseOf(Side side) => side is Side.Control
        ? _control ??= new(SideScope.InRequest(Side.Control, scope)) : _candidate ??= new(SideScope.InRequest(Side.Candidate, scope));
}
