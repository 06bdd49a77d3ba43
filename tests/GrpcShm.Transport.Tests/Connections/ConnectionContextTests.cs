using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

/// <summary>A connection outlasts the code that has made it, and keeps nothing of that code's context.</summary>
public sealed class ConnectionContextTests
{
    private static readonly AsyncLocal<object?> Local = new();

    [Fact]
    public async Task Connect_InAContextWithValues_TheConnectionKeepsNoneOfThem()
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Listen();
        var value = Connect(endPoint, out var connecting);
        using var client = await connecting;
        using var server = await endPoint.AcceptAsync();
        await TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                return !value.IsAlive;
            },
            () => "What the caller's context held is still reachable.");
        Assert.False(client.PeerIsGone);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Connect(TestEndPoint endPoint, out Task<SharedMemoryConnection> connecting)
    {
        var value = new object();
        Task<SharedMemoryConnection>? begun = null;
        ExecutionContext.Run(
            ExecutionContext.Capture()!,
            _ =>
            {
                Local.Value = value;
                begun = endPoint.ConnectAsync();
            },
            null);
        connecting = begun!;
        return new WeakReference(value);
    }
}
