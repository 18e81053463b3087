using Ticketing.Api;
using Ticketing.Api.Problems;

try
{
    await ApiHost.Build(args).RunAsync();
    return 0;
}
catch (Exception refused) when (ApiHost.RefusedSettings(refused) is { Count: > 0 } settings)
{
    using var logging = LoggerFactory.Create(static builder => builder.AddConsole());
    var logger = logging.CreateLogger<Program>();
    foreach (var setting in settings) Log.SettingRefused(logger, setting);
    return ApiHost.ExitOfBadSettings;
}
