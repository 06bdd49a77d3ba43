using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Clients that begin many messages and finish none, byte by byte.</summary>
[Collection(AloneCollection.Name)]
public sealed class BufferBudgetTests : HostileTest, ICallAcceptor
{
    private const int Mebi = 1024 * 1024;
    private const int RingSize = 64 * 1024;

    private readonly List<TestCall> _accepted = [];
    private readonly List<(RawClient Client, SharedMemoryConnection Connection, CallConnection Server)> _connections =
        [];

    [Theory]
    [InlineData(500, 4 * Mebi, 128 * Mebi, 20)]
    [InlineData(100, Mebi, 8 * Mebi, 100)]
    [InlineData(20, 4 * Mebi, 2 * Mebi, 20)]
    public async Task Held_CallsOfOneConnectionWithUnfinishedMessages_StaysWithinTheBudgetAndAllComeThrough(
        int count, int size, long budget, int finished)
    {
        await ConnectAsync(new CallSettings { MaxBufferedBytes = budget });
        var server = _connections[0].Server;
        var calls = new CreditedCalls(_connections[0].Client, count, size);
        calls.Begin();
        await StallAsync([calls], Verify);
        Assert.True(calls.Sent > budget / 4, $"Only {calls.Sent} bytes were taken in all.");
        Assert.True(calls.Sent < (long)count * size / 2, "All of it was taken: the budget was never used up.");

        for (var i = 0; i < finished; i++)
        {
            await FinishOneAsync([calls], Verify);
        }

        await TimeLimit.UntilAsync(
            () =>
            {
                calls.Take();
                return calls.Answered == finished;
            },
            () => $"{calls.Answered} of {finished} calls were answered.");
        Stop();
        await EndAsync();

        void Verify()
        {
            var (reserved, overdraft) = server.Budget!.Counts;
            Assert.InRange(overdraft, 0, size);
            Assert.InRange(reserved - overdraft, 0, budget);
            VerifyHeld(budget + size);
        }
    }

    [Fact]
    public async Task Held_CallsOfSeveralConnections_StaysWithinTheBudgetTheyShareAndAllComeThrough()
    {
        const int Connections = 4;
        const int Count = 20;
        const int Budget = 8 * Mebi;
        var shared = new SharedBudget(Budget);
        var clients = new List<CreditedCalls>();
        for (var i = 0; i < Connections; i++)
        {
            await ConnectAsync(new CallSettings { MaxBufferedBytes = 6 * Mebi, SharedBudget = shared });
            clients.Add(new CreditedCalls(_connections[i].Client, Count, Mebi));
            clients[i].Begin();
        }

        await StallAsync(clients, Verify);
        for (var i = 0; i < Connections * Count; i++)
        {
            await FinishOneAsync(clients, Verify);
        }

        await TimeLimit.UntilAsync(
            () =>
            {
                clients.ForEach(static calls => calls.Take());
                return clients.TrueForAll(static calls => calls.Answered == Count);
            },
            () => $"{string.Join(", ", clients.Select(static calls => calls.Answered))} calls were answered.");
        Stop();
        await EndAsync();
        Assert.Equal(0, shared.Reserved);

        void Verify()
        {
            Assert.InRange(shared.Reserved, 0, Budget);
            Assert.All(_connections, connection => Assert.InRange(connection.Server.Budget!.Counts.Overdraft, 0, Mebi));
            VerifyHeld(Budget + (Connections * Mebi));
        }
    }

    [Fact]
    public async Task Accept_TheSharedBudgetHasNoRoomForAFirstWindow_RefusesTheCallUntilThereIs()
    {
        var shared = new SharedBudget(16 * CallSettings.FirstWindow);
        for (var i = 0; i < 2; i++)
        {
            await ConnectAsync(new CallSettings { MaxBufferedBytes = Mebi * 8, SharedBudget = shared });
        }

        var first = new CreditedCalls(_connections[0].Client, 16, Mebi);
        first.Begin();
        Assert.False(first.IsRefused);
        Assert.Equal(16, _accepted.Count);
        var second = new CreditedCalls(_connections[1].Client, 1, Mebi);
        second.Begin();
        await TimeLimit.UntilAsync(
            () =>
            {
                second.Take();
                return second.IsRefused;
            },
            () => "The call is not refused.");

        // The refused call is tried again when others have ended.
        for (var i = 0u; i < 16; i++)
        {
            first.Reset(i);
        }

        await TimeLimit.UntilAsync(() => _connections[0].Server.ActiveCalls == 0, () => "The calls do not end.");
        second.Reset(0);
        await TimeLimit.UntilAsync(
            () => _connections[1].Server.ActiveCalls == 0, () => "The refused call does not end.");
        second = new CreditedCalls(_connections[1].Client, 1, 1000);
        second.Begin();
        Assert.Equal(17, _accepted.Count);
        while (second.SendAll())
        {
        }

        Assert.True(second.FinishOne());
        await _accepted[16].Handled.InTime();
        Stop();
        await EndAsync();
        Assert.Equal(0, shared.Reserved);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("lost")]
    public async Task Reserve_CallsEndInTheMiddleOfTheirMessages_IsGivenBackInFull(string how)
    {
        var shared = new SharedBudget(4 * Mebi);
        await ConnectAsync(new CallSettings { MaxBufferedBytes = 4 * Mebi, SharedBudget = shared });
        var calls = new CreditedCalls(_connections[0].Client, 30, Mebi);
        calls.Begin();
        await StallAsync([calls], static () => { });
        Assert.True(_connections[0].Server.Budget!.Counts.Overdraft > 0);
        if (how == "reset")
        {
            // In an arbitrary order, so that waiting calls go on in between.
            for (var i = 0u; i < 30; i++)
            {
                calls.Reset(i * 7 % 30);
                calls.SendAll();
            }

            await TimeLimit.UntilAsync(
                () => _connections[0].Server.Budget!.Counts.Reserved == 0,
                () => $"{_connections[0].Server.Budget!.Counts} is reserved still.");
        }

        Stop();
        await EndAsync();
        Assert.Equal(0, shared.Reserved);
    }

    [Fact]
    public async Task Reader_LeavesMoreUnconsumedThanItMay_ItsCallEndsAndOthersGoOn()
    {
        await ConnectAsync(new CallSettings { MaxBufferedBytes = 2 * Mebi, MaxUnconsumedBytes = 3 * Mebi });
        var calls = new CreditedCalls(_connections[0].Client, 1, 5 * Mebi);
        calls.Begin();
        await TimeLimit.UntilAsync(
            () =>
            {
                calls.SendAll();
                return _accepted[0].Handled.IsCompleted;
            },
            () => $"The call does not end; {calls.Sent} bytes were sent.");
        var failure = await Assert.ThrowsAsync<IOException>(() => _accepted[0].Handled);
        Assert.Contains("MaxUnconsumedBytesPerCall", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3 * Mebi, calls.Sent);
        Assert.False(_connections[0].Server.Completion.IsCompleted);
        Stop();
        await EndAsync();
    }

    CallStream? ICallAcceptor.Accept()
    {
        var call = new TestCall(new RunProfile(RunMode.ThreadPool), static async call =>
        {
            try
            {
                // Looks at all data that comes and consumes nothing before the message is complete.
                Pattern.Verify(await call.ReadWholeAsync(), 0);
                call.SetHeaders((":status", "200"));
                call.EndOutput();
            }
            finally
            {
                call.Input.Complete();
            }
        });
        _accepted.Add(call);
        return call.Stream;
    }

    private protected override ListenerSettings Configure(ListenerSettings settings) =>
        settings with { Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes };

    /// <summary>Sends all data that may be sent, until no more data may be sent.</summary>
    private async Task StallAsync(List<CreditedCalls> clients, Action verify)
    {
        await TimeLimit.UntilAsync(
            () =>
            {
                var hasSent = false;
                foreach (var calls in clients)
                {
                    hasSent |= calls.SendAll();
                }

                verify();

                // All credit that the server gave has come, and the server has seen all data that was sent.
                var unused = _accepted.Sum(static call => call.Stream.Input.CreditCounts.Unused);
                return !hasSent
                    && unused == clients.Sum(static calls => calls.Credit)
                    && _accepted.TrueForAll(static call => call.Stream.Input.CreditCounts.Unseen == 0);
            },
            () => $"The clients go on and on: {clients.Sum(static calls => calls.Sent)} bytes.");
    }

    private static async Task FinishOneAsync(List<CreditedCalls> clients, Action verify) =>
        await TimeLimit.UntilAsync(
            () =>
            {
                clients.ForEach(static calls => calls.SendAll());
                verify();
                return clients.Exists(static calls => calls.FinishOne());
            },
            () => "No call can go on. Answered calls by client: "
                + $"{string.Join(", ", clients.Select(static calls => calls.Answered))}.");

    private void VerifyHeld(long most)
    {
        var held = _accepted.Sum(static call => call.Stream.Input.CreditCounts.Held);
        Assert.InRange(held, 0, most);
    }

    private async Task ConnectAsync(CallSettings settings)
    {
        var client = await RawClient.ConnectAsync(EndPoint.SocketPath, ConnectionModes.Calls, ringSize: RingSize);
        var connection = await EndPoint.AcceptAsync();
        var server = new CallConnection(connection, settings, this);
        server.Start();
        _connections.Add((client, connection, server));
    }

    private void Stop()
    {
        foreach (var (client, connection, _) in _connections)
        {
            client.Dispose();
            connection.Dispose();
        }
    }

    /// <summary>Waits until all calls have ended, and nothing is reserved.</summary>
    private async Task EndAsync()
    {
        foreach (var (_, _, server) in _connections)
        {
            await server.Completion.InTime();
        }

        foreach (var call in _accepted)
        {
            await call.Left.InTime();
        }

        foreach (var (_, _, server) in _connections)
        {
            await TimeLimit.UntilAsync(
                () => server.Budget!.Counts == (0, 0), () => $"{server.Budget!.Counts} is reserved when all is over.");
        }
    }
}
