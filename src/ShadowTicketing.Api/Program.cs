using ShadowTicketing.Api;

var app = ApiHost.Build(args);

try
{
    await app.RunAsync();
    return 0;
}
catch (Exception refused) when (ApiHost.RefusedSettings(refused) is { Count: > 0 } settings)
{
    foreach (var setting in settings) Log.SettingRefused(app.Logger, setting);
    return ApiHost.ExitOfBadSettings;
}
