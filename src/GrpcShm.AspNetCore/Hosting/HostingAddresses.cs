using System.Net;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Keeps the addresses of <c>--urls</c>, <c>ASPNETCORE_HTTP_PORTS</c> and the like alive. Kestrel drops them as soon as
/// the application listens on an endpoint in code, as it does on a shared-memory endpoint. So they are made endpoints
/// in code, too. This is not done if the application listens on other endpoints, in code or by the configuration: then
/// it has meant to replace the addresses.
/// </summary>
internal static class HostingAddresses
{
    private const string Origin = "--urls, ASPNETCORE_URLS or the like";

    /// <summary>
    /// Moves the addresses that hosting has collected into the options, just before the server starts.
    /// </summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="server">The server.</param>
    /// <param name="internals">Reads the endpoints in code.</param>
    /// <param name="isConfigured">Whether Kestrel's section of the configuration names endpoints.</param>
    /// <returns>The addresses that mean shared memory, and on which nobody will listen.</returns>
    /// <exception cref="InvalidOperationException">
    /// An address means shared memory and is not well formed. Or <c>PreferHostingUrls</c> is set, so Kestrel would drop
    /// all endpoints in code.
    /// </exception>
    public static IReadOnlyList<ServerAddress> MoveTo(
        KestrelServerOptions options, IServer server, KestrelInternals internals, bool isConfigured)
    {
        if (server.Features.Get<IServerAddressesFeature>() is not { Addresses: { Count: > 0 } addresses } feature)
        {
            return [];
        }

        // First of all, since a wrong address must not be dropped or opened in silence.
        List<(string Text, ServerAddress? SharedMemory)> parsed =
            [.. addresses.Select(static address => (address, ServerAddress.Read(address, Origin)))];
        var listened = internals.ListenedInCode(options);
        var isInCode = listened?.Exists(static o => o.EndPoint is SharedMemoryEndPoint) == true;
        if (!isInCode
            && !parsed.Exists(static address => address.SharedMemory is not null))
        {
            // If the endpoints cannot be known, Kestrel's own rule applies, and Kestrel logs a warning.
            return [];
        }

        // Endpoints of the configuration replace the addresses, too, and must do so here: container images set a port
        // as an address, for applications that name no endpoint.
        if (isConfigured || listened?.Exists(static o => o.EndPoint is not SharedMemoryEndPoint) == true)
        {
            var addressed = parsed.Select(static address => address.SharedMemory).OfType<ServerAddress>().ToList();
            if (feature.PreferHostingUrls)
            {
                throw new InvalidOperationException(
                    isInCode
                        ? "PreferHostingUrls makes Kestrel drop every endpoint that is listened on in code, including "
                            + "the shared-memory endpoints. Remove the other endpoints, or do not set "
                            + "PreferHostingUrls."
                        : $"PreferHostingUrls makes Kestrel itself listen on {addressed[0].Place}, which Kestrel "
                            + "cannot, since this server has other endpoints in code or in Kestrel's section of the "
                            + "configuration. Remove those, or do not set PreferHostingUrls and name the endpoint in "
                            + "code or in SharedMemory:Endpoints.");
            }

            return addressed.FindAll(address => Find(options, address, internals) is null);
        }

        foreach (var (text, sharedMemory) in parsed)
        {
            if (sharedMemory is null)
            {
                Listen(options, BindingAddress.Parse(text));
            }
            else
            {
                Listen(options, sharedMemory, internals);
            }
        }

        addresses.Clear();
        feature.PreferHostingUrls = false;
        return [];
    }

    /// <summary>Listens on a shared-memory endpoint, unless that has been done already.</summary>
    /// <exception cref="InvalidOperationException">
    /// It has been done already, but not in the way that the address asks for.
    /// </exception>
    public static void Listen(
        KestrelServerOptions options,
        ServerAddress address,
        KestrelInternals internals,
        HttpProtocols? protocols = null)
    {
        if (Find(options, address, internals) is { } listened)
        {
            CheckIsAlike(listened, address, internals, protocols);
            return;
        }

        options.ListenSharedMemory(address.EndPoint.ToString(), listen =>
        {
            EndPointPlaces.Note(listen.EndPoint, address.Place);
            listen.Protocols = protocols ?? listen.Protocols;
            if (address.IsTls == true)
            {
                listen.UseHttps();
            }
        });
    }

    private static ListenOptions? Find(
        KestrelServerOptions options, ServerAddress address, KestrelInternals internals) =>
        internals.ListenedInCode(options)?.Find(listen => address.EndPoint.Equals(listen.EndPoint));

    // Otherwise a wish for TLS would be dropped in silence.
    private static void CheckIsAlike(
        ListenOptions listened, ServerAddress address, KestrelInternals internals, HttpProtocols? protocols)
    {
        var hasTls = internals.HasTls(listened);
        var difference =
            address.IsTls is { } isTls && hasTls is not null && isTls != hasTls
                ? (Wanted: isTls ? "with TLS" : "without TLS", Present: isTls ? "without TLS" : "with TLS")
            : protocols is { } wanted && wanted != listened.Protocols
                ? (Wanted: $"with {wanted}", Present: $"with {listened.Protocols}")
            : default((string Wanted, string Present)?);
        if (difference is { } differs)
        {
            throw new InvalidOperationException(
                $"{address.Place} asks for the endpoint '{address.EndPoint}' {differs.Wanted}, and it is listened on "
                + $"{differs.Present} already, by {EndPointPlaces.Of(listened.EndPoint)}. Remove one of the two.");
        }
    }

    private static void Listen(KestrelServerOptions options, BindingAddress address)
    {
        Action<ListenOptions> configure = address.Scheme.ToUpperInvariant() switch
        {
            "HTTP" => static _ => { },
            "HTTPS" => static listen => listen.UseHttps(),
            _ => throw new InvalidOperationException(
                $"Unrecognized scheme in server address '{address}'. Only 'http://' and 'https://' are supported."),
        };

        if (!string.IsNullOrEmpty(address.PathBase))
        {
            throw new InvalidOperationException(
                "A path base can only be configured using IApplicationBuilder.UsePathBase(), "
                + $"not by the address '{address}'.");
        }

        if (address.IsUnixPipe)
        {
            options.ListenUnixSocket(address.UnixPipePath, configure);
        }
        else if (address.IsNamedPipe)
        {
            options.ListenNamedPipe(address.NamedPipeName, configure);
        }
        else if (string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            options.ListenLocalhost(address.Port, configure);
        }
        else if (IPAddress.TryParse(address.Host, out var ip))
        {
            options.Listen(ip, address.Port, configure);
        }
        else
        {
            // '*', '+' and names of this machine, as in Kestrel.
            options.ListenAnyIP(address.Port, configure);
        }
    }
}
