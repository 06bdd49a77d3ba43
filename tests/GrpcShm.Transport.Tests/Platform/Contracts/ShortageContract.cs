using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// A connection over a make in which each operation in turn fails for lack of handles or memory.
/// </summary>
public abstract class ShortageContract : StackContract
{
    // Far more operations than a connection takes.
    private const int Most = 500;

    private readonly FailingMake _make;

    private protected ShortageContract(FailingMake make)
        : base(make) => _make = make;

    [Fact]
    public async Task Connection_EachOperationFailsOnce_BothSidesEndAndGiveEverythingBack()
    {
        var shortage = _make.Shortage;
        for (var operation = 1; operation < Most; operation++)
        {
            shortage.FailAt(operation);
            var ends = await ConnectAsync();
            var isComplete = ends.All(static end => end is not null);
            Array.ForEach(ends, static end => end?.Dispose());
            await TimeLimit.UntilAsync(
                () => shortage.Kept == 0,
                () => $"{shortage.Kept} handles are kept after operation {operation} has failed.");
            if (!shortage.HasFailed)
            {
                // Each operation has failed once: now the connection is made. A handshake takes at least twelve
                // operations.
                Assert.True(isComplete, "Nothing has failed, and there is no connection.");
                Assert.True(operation > 12, $"Only {operation - 1} operations could fail.");
                return;
            }
        }

        Assert.Fail($"After {Most} failures there is still no connection.");
    }

    private async Task<SharedMemoryConnection?[]> ConnectAsync()
    {
        using var listening = Platform.Listen(EndPoint, new RendezvousSettings(Directory));
        ControlSocket? client = null;
        ControlSocket server;
        try
        {
            client = Connect();
            server = Accept(listening);
        }
        catch (SharedMemoryResourcesException)
        {
            client?.Dispose();
            return [];
        }

        return await Task.WhenAll(CompleteAsync(client, ConnectAsync), CompleteAsync(server, AcceptAsync)).InTime();
    }

    /// <returns>The connection, or <see langword="null"/> if this side or the other has failed.</returns>
    private async Task<SharedMemoryConnection?> CompleteAsync(
        ControlSocket socket, Func<ControlChannel, Task<ConnectionParts>> shakeHandsAsync)
    {
        var channel = Open(socket);
        try
        {
            var parts = await shakeHandsAsync(channel).InTime();
            return Create(parts);
        }
        catch (IOException)
        {
            channel.Dispose();
            return null;
        }
    }
}
