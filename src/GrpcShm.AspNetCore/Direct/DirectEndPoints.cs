using System.Runtime.CompilerServices;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Which endpoints may offer direct mode: those that speak HTTP/2 alone and that have nothing between the rings and the
/// protocol, as TLS would be.
/// </summary>
internal static class DirectEndPoints
{
    private static readonly ConditionalWeakTable<SharedMemoryEndPoint, State> States = [];

    /// <summary>Notes what is listened with, when all has been said about it.</summary>
    public static void Allow(ListenOptions listen)
    {
        if (listen.EndPoint is SharedMemoryEndPoint endPoint && listen.Protocols == HttpProtocols.Http2)
        {
            States.AddOrUpdate(endPoint, new State { IsAllowed = !IsTls(listen) });
        }
    }

    /// <summary>Whether an endpoint speaks HTTP/2 and nothing else, with TLS or without.</summary>
    public static bool SpeaksHttp2Alone(SharedMemoryEndPoint endPoint) => States.TryGetValue(endPoint, out _);

    public static bool IsAllowed(SharedMemoryEndPoint endPoint) => States.TryGetValue(endPoint, out var state) && state.IsAllowed;

    /// <summary>Connection middleware has turned out to be in between; from now on clients get HTTP/2.</summary>
    public static void Forbid(SharedMemoryEndPoint endPoint)
    {
        if (States.TryGetValue(endPoint, out var state))
        {
            state.IsAllowed = false;
        }
    }

    // Kestrel shows it to nobody. Should a later version name this otherwise, listening fails with a
    // MissingMethodException, loudly, and a test of ours before that.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsTls")]
    private static extern bool IsTls(ListenOptions options);

    private sealed class State
    {
        private volatile bool _isAllowed;

        public bool IsAllowed
        {
            get => _isAllowed;
            set => _isAllowed = value;
        }
    }
}
