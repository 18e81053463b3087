using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Shadowing.Supervision;

/// <summary>
/// What a section says, as of its last valid state: read anew when the configuration is reloaded. What a reload makes invalid is refused,
/// with a finding, and the last valid state stays. Safe for concurrent use.
/// </summary>
/// <remarks>
/// Registered as a hosted service too, it is made at the start, when the settings are known to be valid: a reload may spoil them before the
/// first use.
/// </remarks>
public sealed class LastValid<T> : IHostedService, IDisposable where T : class
{
    private readonly Func<T> _read;
    private readonly Findings _findings;
    private readonly string _section;
    private readonly IDisposable _reloads;
    private volatile T _current;

    /// <summary>Reads it for the first time.</summary>
    /// <param name="section">The section's path, which a finding names.</param>
    /// <param name="read">Reads and validates.</param>
    /// <exception cref="OptionsValidationException">It is not valid now.</exception>
    public LastValid(IConfiguration configuration, string section, Func<T> read, Findings findings)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(read);
        (_section, _read, _findings, _current) = (section, read, findings, read());
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>The state in force. To be read anew for each use.</summary>
    public T Current => _current;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _reloads.Dispose();

    private void Reload()
    {
        try
        {
            _current = _read();
            _findings.Replace(_section);
        }
        catch (OptionsValidationException refused)
        {
            _findings.Replace(_section, new Finding(
                Finding.Warning, _section,
                $"Changed settings are refused, the last valid ones stay in force: {string.Join(" ", refused.Failures)}"));
        }
    }
}
