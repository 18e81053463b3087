using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Http;

/// <summary>
/// Makes a problem with a code of what the server refuses by itself: an address with <c>%00</c>, a line that is no HTTP, headers that are
/// too large or too slow. No middleware sees such a request, and the server's own answer has no body.
/// </summary>
/// <remarks>
/// The bytes of a connection with TLS are encrypted by then and stay as they are; so do those of HTTP/2. Where the request's
/// line is refused its method is not known, so a HEAD gets a body too; the connection closes behind it.
/// </remarks>
internal static class ServerRefusals
{
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public static void Apply(KestrelServerOptions kestrel) => kestrel.ConfigureEndpointDefaults(static listen => listen.Use(static next =>
        connection =>
        {
            var output = new RefusalPipe(connection.Transport.Output);
            connection.Transport = new Pipes(connection.Transport.Input, output);
            connection.Features.Set(output);
            return next(connection);
        }));

    /// <summary>Listens for what the server refuses, for as long as the service runs.</summary>
    public static void UseServerRefusals(this WebApplication app)
    {
        var listening = app.Services.GetRequiredService<DiagnosticListener>().Subscribe(
            new Listener(), static (name, _, _) => name == BadRequest);
        app.Lifetime.ApplicationStopped.Register(listening.Dispose);
    }

    private static void OnRefused(IFeatureCollection request)
    {
        // A request's features are its connection's too.
        if (request.Get<RefusalPipe>() is not { } output || request.Get<IHttpResponseFeature>() is not { HasStarted: false } response
            || response.StatusCode is < 400 or >= 500 || HttpMethods.IsHead(request.Get<IHttpRequestFeature>()?.Method ?? ""))
        {
            return;
        }

        var problem = TicketProblemCodes.ForStatus(response.StatusCode).ToProblem();
        ProblemWriter.Complete(problem, response.StatusCode, request.Get<IHttpRequestIdentifierFeature>()?.TraceIdentifier);
        output.Expect(response.StatusCode, JsonSerializer.SerializeToUtf8Bytes(problem, JsonSerializerOptions.Web));
    }

    private sealed class Listener : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: BadRequest, Value: IFeatureCollection request }) OnRefused(request);
        }

        public void OnError(Exception error)
        {
        }

        public void OnCompleted()
        {
        }
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
