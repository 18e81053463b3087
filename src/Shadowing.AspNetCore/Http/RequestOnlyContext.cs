using Shadowing.Experiments;

namespace Shadowing.AspNetCore.Http;

/// <summary>
/// Gives the <c>HttpContext</c> to requests, and stops a shadow run that asks for it: it would get none, and answer as if there were no
/// user.
/// </summary>
internal sealed class RequestOnlyContext : IHttpContextAccessor
{
    private readonly HttpContextAccessor _inner = new();

    public HttpContext? HttpContext
    {
        get
        {
            RunPlace.CurrentShadow?.Stop(
                "reading the HttpContext", "A shadow run has none: give it what it needs with Carry<T>() of AddShadowing.");
            return _inner.HttpContext;
        }
        set => _inner.HttpContext = value;
    }
}
