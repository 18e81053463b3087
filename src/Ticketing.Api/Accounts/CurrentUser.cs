using System.Reflection;

namespace Ticketing.Api.Accounts;

/// <summary>Who asks, as the table has it, and the database's wall clock at the time it was asked.</summary>
internal sealed record CurrentUser(Caller Caller, DateTime Now) : IBindableFromHttpContext<CurrentUser>
{
    public static ValueTask<CurrentUser?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(context.Features.Get<CurrentUser>());
}
