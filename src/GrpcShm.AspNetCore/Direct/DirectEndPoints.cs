using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Says which endpoints may offer direct mode: those that speak HTTP/2 alone and have no middleware between the rings
/// and the protocol, as TLS would be.
/// </summary>
internal static class DirectEndPoints
{
    // By the plain endpoint, which the connections of the endpoint have, too.
    private static readonly ConditionalWeakTable<SharedMemoryEndPoint, State> States = [];

    /// <summary>Notes the options of an endpoint, after the application has configured it.</summary>
    public static void Note(ListenOptions listen)
    {
        if (listen.EndPoint is SharedMemoryEndPoint { Plain: var endPoint })
        {
            var internals = listen.ApplicationServices?.GetService<KestrelInternals>() ?? new KestrelInternals();
            States.AddOrUpdate(
                endPoint, new State(listen.Protocols == HttpProtocols.Http2) { WhyNot = WhyNot(listen, internals) });
        }
    }

    /// <summary>True if an endpoint speaks HTTP/2 and nothing else, with TLS or without.</summary>
    public static bool SpeaksHttp2Alone(SharedMemoryEndPoint endPoint) =>
        States.TryGetValue(endPoint, out var state) && state.SpeaksHttp2Alone;

    /// <summary>Says why an endpoint may not offer direct mode; nothing if it may.</summary>
    public static string? WhyNot(SharedMemoryEndPoint endPoint) =>
        States.TryGetValue(endPoint, out var state) ? state.WhyNot : "it is not listened on by ListenSharedMemory";

    /// <summary>
    /// Notes that connection middleware wraps the transport of an endpoint: from now on its clients get HTTP/2.
    /// </summary>
    public static void Forbid(SharedMemoryEndPoint endPoint)
    {
        if (States.TryGetValue(endPoint, out var state))
        {
            state.WhyNot = "it has connection middleware that wraps the transport";
        }
    }

    private static string? WhyNot(ListenOptions listen, KestrelInternals internals)
    {
        if (listen.Protocols != HttpProtocols.Http2)
        {
            return $"it speaks {listen.Protocols}, and direct mode goes with Http2 alone";
        }

        return internals.HasTls(listen) switch
        {
            true => "it has TLS",
            false => null,
            null => "this version of Kestrel does not show whether it has TLS",
        };
    }

    private sealed class State(bool speaksHttp2Alone)
    {
        private volatile string? _whyNot;

        public bool SpeaksHttp2Alone => speaksHttp2Alone;

        public string? WhyNot
        {
            get => _whyNot;
            set => _whyNot = value;
        }
    }
}
