using System.Collections.Concurrent;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Kestrel's section of the configuration, as Kestrel is to see it: without the endpoints whose <c>Url</c> means shared
/// memory. Kestrel would refuse such an address without saying why, or take it for a TCP port. These endpoints are made
/// endpoints in code.
/// </summary>
internal sealed class KestrelSection : IConfiguration
{
    private const string Endpoints = "Endpoints";
    private const string Url = "Url";
    private const string Protocols = "Protocols";

    // What Kestrel reads for an endpoint with TLS.
    private static readonly string[] TlsKeys = ["Certificate", "ClientCertificateMode", "Sni", "SslProtocols"];

    private readonly IConfiguration _inner;
    private readonly Dictionary<string, string> _taken = new(StringComparer.OrdinalIgnoreCase);

    // The addresses of which the log says that they need a restart. Kestrel reads the list again with every change of
    // the configuration, on any thread.
    private readonly ConcurrentDictionary<string, string> _logged = new(StringComparer.OrdinalIgnoreCase);
    private readonly ILogger _logger;

    private KestrelSection(IConfiguration inner, ILogger logger)
    {
        _inner = inner;
        _logger = logger;
    }

    public string? this[string key]
    {
        get => _inner[key];
        set => _inner[key] = value;
    }

    /// <summary>Makes the endpoints of the section that mean shared memory endpoints in code.</summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="internals">Reads and changes what Kestrel does not show.</param>
    /// <param name="logger">Gets a line for each such endpoint that the section names later.</param>
    /// <returns>True if the section names endpoints of any kind.</returns>
    /// <exception cref="InvalidOperationException">One of them is not well formed, or cannot be served.</exception>
    public static bool MoveTo(KestrelServerOptions options, KestrelInternals internals, ILogger logger)
    {
        if (options.ConfigurationLoader is not { } loader)
        {
            return false;
        }

        var section = new KestrelSection(loader.Configuration, logger);
        var hasEndpoints = false;
        foreach (var endpoint in loader.Configuration.GetSection(Endpoints).GetChildren())
        {
            hasEndpoints = true;
            if (endpoint[Url] is { } url && ServerAddress.Read(url, $"'{endpoint.Path}:{Url}'") is { } address)
            {
                section._taken[endpoint.Key] = url;
                Listen(options, endpoint, address, internals);
            }
        }

        // Even if it names no such endpoint now: Kestrel reads it again when it changes.
        if (!internals.TrySetConfiguration(loader, section) && section._taken.Count > 0)
        {
            throw new InvalidOperationException(
                "This version of Kestrel does not let shared-memory endpoints be in its section of the configuration: "
                + $"{string.Join(", ", section._taken.Values.Select(static url => $"'{url}'"))}. Name them in the list "
                + $"'{SharedMemorySection.Name}:{SharedMemorySection.Endpoints}' instead.");
        }

        return hasEndpoints;
    }

    public IEnumerable<IConfigurationSection> GetChildren() => _inner.GetChildren();

    public IChangeToken GetReloadToken() => _inner.GetReloadToken();

    public IConfigurationSection GetSection(string key) =>
        key.Equals(Endpoints, StringComparison.OrdinalIgnoreCase)
            ? new OtherEndpoints(this, _inner.GetSection(key))
            : _inner.GetSection(key);

    private static void Listen(
        KestrelServerOptions options, IConfigurationSection endpoint, ServerAddress address, KestrelInternals internals)
    {
        if (Array.Find(TlsKeys, key => endpoint.GetSection(key).Exists()) is { } tlsKey)
        {
            throw new InvalidOperationException(
                $"'{endpoint.Path}:{tlsKey}' is not read for a shared-memory endpoint. Set up its TLS in code, by "
                + $"kestrel.ListenSharedMemory(\"{address.EndPoint}\", listen => listen.UseHttps(…)), and remove "
                + $"'{endpoint.Path}'.");
        }

        HttpProtocols? protocols = null;
        if (endpoint[Protocols] is { Length: > 0 } text)
        {
            protocols = Enum.TryParse<HttpProtocols>(text, ignoreCase: true, out var known)
                ? known
                : throw new InvalidOperationException(
                    $"'{endpoint.Path}:{Protocols}' is '{text}'. It has to be one of "
                    + $"{string.Join(", ", Enum.GetNames<HttpProtocols>())}.");
        }

        HostingAddresses.Listen(options, address, internals, protocols);
    }

    /// <summary>
    /// False if an endpoint means shared memory, so that Kestrel must not see it. If it was not there when the server
    /// started, the log says so. An exception would keep Kestrel from all other changes of its section.
    /// </summary>
    private bool IsOfKestrel(IConfigurationSection endpoint)
    {
        if (endpoint[Url] is not { } url || !ServerAddress.IsMeant(url.Trim()))
        {
            return true;
        }

        if (_taken.TryGetValue(endpoint.Key, out var known) && known == url)
        {
            _logged.TryRemove(endpoint.Key, out _);
        }
        else if (!_logged.TryGetValue(endpoint.Key, out var last) || last != url)
        {
            _logged[endpoint.Key] = url;
            Diagnostics.Log.RestartNeeded(_logger, $"{endpoint.Path}:{Url}", url);
        }

        return false;
    }

    /// <summary>The list of endpoints that Kestrel reads.</summary>
    private sealed class OtherEndpoints(KestrelSection owner, IConfigurationSection inner) : IConfigurationSection
    {
        public string Key => inner.Key;

        public string Path => inner.Path;

        public string? Value
        {
            get => inner.Value;
            set => inner.Value = value;
        }

        public string? this[string key]
        {
            get => inner[key];
            set => inner[key] = value;
        }

        public IEnumerable<IConfigurationSection> GetChildren() => inner.GetChildren().Where(owner.IsOfKestrel);

        public IChangeToken GetReloadToken() => inner.GetReloadToken();

        public IConfigurationSection GetSection(string key) => inner.GetSection(key);
    }
}
