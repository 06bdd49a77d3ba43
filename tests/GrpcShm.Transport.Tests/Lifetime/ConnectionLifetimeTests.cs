using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Lifetime;

[Collection(AloneCollection.Name)]
public sealed class ConnectionLifetimeTests : IAsyncLifetime
{
    // The memory that the listener has made for its next client.
    private const int Spare = 1;

    private readonly TestEndPoint _endPoint = new();

    /// <summary>Begins when the objects that earlier tests left to the garbage collector are gone.</summary>
    public async ValueTask InitializeAsync()
    {
        await CollectMappingsAsync(0);
        _endPoint.Listen();
    }

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public async Task ConnectAndDispose_AThousandTimes_LeavesNothingBehind()
    {
        await ConnectAndDisposeAsync(20);
        await _endPoint.SpareIsReadyAsync();
        await TimeLimit.UntilAsync(
            () => ProcessUse.CountMappings() == Spare, () => $"{ProcessUse.Now} with no connection.");
        var before = ProcessUse.Now;
        Assert.True(before.ReactorThreads >= 1);

        await ConnectAndDisposeAsync(1_000);

        await TimeLimit.UntilAsync(
            () => ProcessUse.Now.IsBackAt(before), () => $"{ProcessUse.Now} after {before}:\n{Descriptors.List()}");
        Assert.Equal(2, Directory.GetFiles(_endPoint.Directory).Length);
    }

    [Fact]
    public async Task Connections_AHundredAtOnce_ShareTheReactors()
    {
        await ConnectAndDisposeAsync(1);
        await _endPoint.SpareIsReadyAsync();
        await TimeLimit.UntilAsync(
            () => ProcessUse.CountMappings() == Spare, () => $"{ProcessUse.Now} with no connection.");

        // What earlier tests have left must not be closed while this test counts.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = ProcessUse.Now;
        var connections = new List<SharedMemoryConnection>();
        for (var i = 0; i < 100; i++)
        {
            var (client, server) = await _endPoint.ConnectPairAsync();
            connections.AddRange([client, server]);
        }

        await _endPoint.SpareIsReadyAsync();
        var use = ProcessUse.Now;
        Assert.True((before with { ReactorThreads = use.ReactorThreads }).IsBackAt(before), $"{use} after {before}");
        Assert.Equal(200 + Spare, use.Mappings);

        // Each side has the control socket and two doorbells, and no descriptor for the memory once it is mapped.
        Assert.Equal(600, use.Descriptors - before.Descriptors);
        Assert.Equal(before.SharedFiles, use.SharedFiles);
        connections.ForEach(c => c.Dispose());
        await TimeLimit.UntilAsync(() => ProcessUse.Now.IsBackAt(before), () => $"{ProcessUse.Now} after {before}");
    }

    [Fact]
    public async Task Dispose_PipesAreCompletedBeforeOrAfter_UnmapsEitherWay()
    {
        var (client, server) = await _endPoint.ConnectPairAsync();
        await _endPoint.SpareIsReadyAsync();
        var reader = new RingPipeReader(client, 1 << 20);
        var writer = new RingPipeWriter(client);
        await reader.CompleteAsync();
        await writer.CompleteAsync();
        client.Dispose();
        await TimeLimit.UntilAsync(
            () => ProcessUse.CountMappings() == Spare + 1, () => "The client's side is still mapped.");

        reader = new RingPipeReader(server, 1 << 20);
        writer = new RingPipeWriter(server);
        server.Dispose();
        Assert.Equal(Spare + 1, ProcessUse.CountMappings());
        await reader.CompleteAsync();
        Assert.Equal(Spare + 1, ProcessUse.CountMappings());
        await writer.CompleteAsync();
        await TimeLimit.UntilAsync(
            () => ProcessUse.CountMappings() == Spare, () => "The server's side is still mapped.");
    }

    [Fact]
    public async Task Closed_Connections_CanBeCollected()
    {
        var references = await ConnectAndForgetAsync();

        // If the reactor's thread still refers to the last connection, that ends when it serves another.
        await ConnectAndDisposeAsync(2);

        await TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                return !references.Exists(r => r.IsAlive);
            },
            () => $"{references.Count(r => r.IsAlive)} of {references.Count} connections are still reachable.");
    }

    [Fact]
    public async Task Abandon_ResultIsStillHeld_MappingGoesWithTheGarbage()
    {
        await AbandonAsync();
        await ConnectAndDisposeAsync(2);
        await _endPoint.SpareIsReadyAsync();
        await CollectMappingsAsync(Spare);
    }

    [Fact]
    public async Task Dispose_SpareWasNeverUsed_IsReleased()
    {
        var before = ProcessUse.Now;
        await using (var other = new TestEndPoint())
        {
            other.Listen();
            Assert.False(other.Listener.HasSpare);
            var (client, server) = await other.ConnectPairAsync();
            client.Dispose();
            server.Dispose();
            await other.SpareIsReadyAsync();
            await TimeLimit.UntilAsync(
                () => ProcessUse.CountMappings() == before.Mappings + Spare,
                () => $"{ProcessUse.Now} with a spare, after {before}");
        }

        await TimeLimit.UntilAsync(() => ProcessUse.Now.IsBackAt(before), () => $"{ProcessUse.Now} after {before}");
    }

    [Fact]
    public async Task Spare_WasOfferedToAClientThatWentAway_GoesWithIt()
    {
        await ConnectAndDisposeAsync(1);
        await _endPoint.SpareIsReadyAsync();
        await TimeLimit.UntilAsync(
            () => ProcessUse.CountMappings() == Spare, () => $"{ProcessUse.Now} with no connection.");

        using (var peer = new RawBytesPeer(_endPoint.SocketPath))
        {
            peer.Send(new ClientHello(1, 1, ConnectionModes.Bytes, 0, 0, 0).Write());
            Assert.Equal(ControlMessageType.ServerHello, peer.Receive()!.Type);
            Assert.False(_endPoint.Listener.HasSpare);
            Assert.Equal(Spare, ProcessUse.CountMappings());
        }

        // The memory has been shared with a client, so it is not used for another.
        await TimeLimit.UntilAsync(() => ProcessUse.CountMappings() == 0, () => "What was offered is still mapped.");
        Assert.False(_endPoint.Listener.HasSpare);
    }

    private static Task CollectMappingsAsync(int left) =>
        TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return ProcessUse.CountMappings() == left;
            },
            () => $"{ProcessUse.CountMappings()} mappings are still there.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task AbandonAsync()
    {
        var (client, server) = await _endPoint.ConnectPairAsync();
        await using (var stream = new RingStream(client, FileAccess.ReadWrite))
        {
            await stream.WritePatternAsync(0, 10);
            var reader = new RingPipeReader(server, 1 << 20);
            await reader.ReadAsync(TestContext.Current.CancellationToken).InTime();
            reader.Abandon();
        }

        server.Dispose();
        await _endPoint.SpareIsReadyAsync();
        Assert.Equal(Spare + 1, ProcessUse.CountMappings());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<List<WeakReference>> ConnectAndForgetAsync()
    {
        var references = new List<WeakReference>();
        for (var i = 0; i < 10; i++)
        {
            var (client, server) = await _endPoint.ConnectPairAsync();
            references.Add(new WeakReference(client));
            references.Add(new WeakReference(server));
            await EchoAndDisposeAsync(client, server);
        }

        return references;
    }

    private async Task ConnectAndDisposeAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            var (client, server) = await _endPoint.ConnectPairAsync();
            await EchoAndDisposeAsync(client, server);
        }
    }

    private static async Task EchoAndDisposeAsync(SharedMemoryConnection client, SharedMemoryConnection server)
    {
        await using var one = new RingStream(client, FileAccess.ReadWrite);
        await using var other = new RingStream(server, FileAccess.ReadWrite);
        await StreamBytes.EchoAsync(one, other);
    }
}
