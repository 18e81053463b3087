using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Shadowing.Postgres.Stores;

namespace Shadowing.AspNetCore.Console.Signing;

/// <summary>
/// The keys of the console's cookies and forms: in the schema <c>shadow</c>, so that a proxy may send each request to another replica and
/// nothing is written to a disk; in memory where no evidence is kept.
/// </summary>
/// <remarks>A provider of its own: the application's keys are where the application wants them.</remarks>
internal sealed class ConsoleKeys : IDisposable
{
    private readonly ServiceProvider _provider;

    public ConsoleKeys(ConsoleKeyStore? store = null)
    {
        var services = new ServiceCollection();
        services.AddDataProtection().SetApplicationName("Shadowing console");
        services.Configure<KeyManagementOptions>(options => options.XmlRepository = new Repository(store));
        _provider = services.BuildServiceProvider();
        Protection = _provider.GetRequiredService<IDataProtectionProvider>();
    }

    public IDataProtectionProvider Protection { get; }

    public void Dispose() => _provider.Dispose();

    private sealed class Repository(ConsoleKeyStore? store) : IXmlRepository
    {
        private readonly Lock _change = new();
        private readonly List<string> _inMemory = [];

        public IReadOnlyCollection<XElement> GetAllElements()
        {
            lock (_change) return [.. (store?.Read() ?? _inMemory).Select(document => XElement.Parse(document))];
        }

        public void StoreElement(XElement element, string friendlyName)
        {
            var document = element.ToString(SaveOptions.DisableFormatting);
            if (store is not null) store.Add(friendlyName, document);
            else
                lock (_change) _inMemory.Add(document);
        }
    }
}
