using Microsoft.AspNetCore.Connections;
using Ticketing.Api;
using Ticketing.Api.Health;
using Ticketing.Api.Problems;
using Ticketing.Api.Starting;

if (args is [HealthProbe.Command]) return await HealthProbe.RunAsync();
try
{
    await ApiHost.Build(args).RunAsync();
    return 0;
}
catch (Exception refused) when (ApiHost.RefusedSettings(refused) is { Count: > 0 } settings)
{
    using var logging = LoggerFactory.Create(LogFormat.Apply);
    var logger = logging.CreateLogger<Program>();
    foreach (var setting in settings) Log.SettingRefused(logger, setting);
    return ApiHost.ExitOfBadSettings;
}
catch (IOException taken) when (taken.InnerException is AddressInUseException)
{
    using var logging = LoggerFactory.Create(LogFormat.Apply);
    Log.AddressTaken(logging.CreateLogger<Program>(), taken.Message.TrimEnd('.'));
    return ApiHost.ExitOfTakenAddress;
}
