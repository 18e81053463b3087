using Microsoft.AspNetCore.Hosting;

namespace Shadowing.AspNetCore.Problems;

/// <summary>Answers a <see cref="RefusedException"/> in an application that need not handle exceptions itself.</summary>
internal sealed class RefusalFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(static async (context, following) =>
        {
            try
            {
                await following(context);
            }
            catch (RefusedException refused) when (!context.Response.HasStarted)
            {
                await TypedResults.Problem(refused.Refusal.ToProblem()).ExecuteAsync(context);
            }
        });
        next(app);
    };
}
