using System.Text.Json;
using Ticketing.Demo.Traffic;

namespace Ticketing.Demo;

/// <summary>What else the file has.</summary>
/// <param name="Console">A link that signs its owner in to the console, once.</param>
internal sealed record DemoAccess(string ServedConnection, Uri Console);

/// <summary>The addresses and tokens for using the demo by hand. Only its owner may read the file.</summary>
internal static class AccessFile
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Creates the file complete, under its name, in one step, because another program may be waiting for it.</summary>
    public static async Task WriteAsync(
        FileInfo file, IReadOnlyList<Uri> replicas, Population population, AccessTokens tokens, DemoSecrets secrets,
        DemoAccess access)
    {
        var partial = file.FullName + ".partial";
        File.Delete(partial);
        await using (var stream = new FileStream(partial, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
#pragma warning disable CA1416 // The demo runs on Linux only, as its PostgreSQL does.
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
#pragma warning restore CA1416
        }))
        {
            await JsonSerializer.SerializeAsync(
                stream,
                new
                {
                    url = replicas[0].GetLeftPart(UriPartial.Authority),
                    replicas = replicas.Select(replica => replica.GetLeftPart(UriPartial.Authority)),
                    userToken = tokens.TokenFor(population.Heavy[0]),
                    adminToken = tokens.TokenFor(population.Staff.First(actor => actor.Role == "admin")),
                    secrets.ViewerToken,
                    secrets.OperatorToken,
                    secrets.WebhookToken,
                    access.ServedConnection,
                    access.Console,
                },
                Indented);
        }

        File.Move(partial, file.FullName, overwrite: true);
    }
}
