using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Claims;
using Grpc.Core;
using GrpcShm.AspNetCore;
using GrpcShm.Transport;

namespace GrpcShm.Hosting.Tests.Authentication;

/// <summary>The names of users: found once for each connection, and missed by no call that can do without.</summary>
public sealed class UserNameTests
{
    private readonly ConcurrentQueue<ClaimsPrincipal> _users = new();

    public static TheoryData<SharedMemoryMode> Modes => [SharedMemoryMode.Direct, SharedMemoryMode.Http2];

    private IEnumerable<string?> Names => _users.Select(static user => user.Identity?.Name);

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Name_OfManyCallsOfAConnection_IsLookedUpOnce(SharedMemoryMode mode)
    {
        var lookups = 0;
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users), find: user => $"{user.Id} the {Interlocked.Increment(ref lookups)}.");
        using var channel = server.Connect(mode);

        // The first calls ask at the same time.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GuardedServer.CallAsync(channel)));
        await GuardedServer.CallAsync(channel);

        Assert.Equal(21, _users.Count);
        Assert.All(Names, static name => Assert.Equal($"{OtherUserPlatform.OwnId} the 1.", name));
        Assert.Equal(1, lookups);
    }

    [Fact]
    public async Task Name_IsNotWanted_IsNotLookedUp()
    {
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users),
            peer: static options => options.LookUpUserName = false,
            find: static _ => throw new InvalidOperationException("It is looked up."));
        using var channel = server.Connect(SharedMemoryMode.Auto);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        Assert.Equal([null], Names);
        Assert.DoesNotContain(server.Log.Lines, static line => line.Name == "UserNameFailed");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Name_CannotBeLookedUp_CallHasTheIdAloneAndTheNextOneTriesAgain(SharedMemoryMode mode)
    {
        var lookups = 0;
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users),
            find: _ => Interlocked.Increment(ref lookups) == 1 ? throw new IOException("No list today.") : "Ada");
        using var channel = server.Connect(mode);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));

        Assert.Equal([null, "Ada"], Names);
        Assert.All(_users, static user => Assert.Equal(
            OtherUserPlatform.OwnId, user.FindFirst(SharedMemoryPeerClaimTypes.UserId)?.Value));
        var line = Assert.Single(server.Log.Lines, static line => line.Name == "UserNameFailed");
        Assert.Contains("No list today.", line.Exception?.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Name_IsNotKnownInTime_CallsGoOnWithoutItAndLaterOnesHaveIt(SharedMemoryMode mode)
    {
        using var answer = new ManualResetEventSlim();
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users),
            peer: static options => options.UserNameTimeout = TimeSpan.FromMilliseconds(1),
            find: _ => answer.Wait(TimeLimit.Value) ? "Ada" : null);
        using var channel = server.Connect(mode);

        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        Assert.Equal([null], Names);
        Assert.Contains(server.Log.Lines, static line => line.Name == "UserNameLate");

        answer.Set();
        await TimeLimit.UntilAsync(async () =>
        {
            Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
            return Names.Last() == "Ada";
        });
    }

    [Fact]
    public async Task Name_OfAUserWithManyConnections_IsWaitedForByOneThread()
    {
        var lookups = 0;
        using var answer = new ManualResetEventSlim();
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users),
            peer: static options => options.UserNameTimeout = TimeSpan.FromMilliseconds(1),
            find: _ => Interlocked.Increment(ref lookups) > 0 && answer.Wait(TimeLimit.Value) ? "Ada" : null);

        for (var i = 0; i < 5; i++)
        {
            using var channel = server.Connect(SharedMemoryMode.Direct);
            Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        }

        await TimeLimit.UntilAsync(() => lookups > 0);
        answer.Set();
        Assert.Equal(1, lookups);
    }

    [Fact]
    public async Task Name_WasLate_IsNotWaitedForAgain()
    {
        SharedMemoryPeerOptions? peer = null;
        using var answer = new ManualResetEventSlim();
        await using var server = await GuardedServer.StartAsync(
            policy => policy.Note(_users),
            peer: options => (peer = options).UserNameTimeout = TimeSpan.FromMilliseconds(1),
            find: _ => answer.Wait(TimeLimit.Value) ? "Ada" : null);
        using var channel = server.Connect(SharedMemoryMode.Direct);
        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));

        // If the second call waited, its deadline would end it.
        peer!.UserNameTimeout = TimeSpan.FromHours(1);
        Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));

        Assert.Equal([null, null], Names);
        answer.Set();
    }

    [Fact]
    public async Task Name_IsMissingInManyCalls_HasSomeLinesAndASum()
    {
        await using var server = await GuardedServer.StartAsync(
            static policy => policy.RequireAuthenticatedUser(), find: static _ => throw new IOException("Never."));
        using var channel = server.Connect(SharedMemoryMode.Direct);
        var started = Stopwatch.GetTimestamp();

        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(StatusCode.OK, await GuardedServer.CallAsync(channel));
        }

        var lines = server.Log.Lines.Count(static line => line.Name == "UserNameFailed");

        // Eight in each window of ten seconds; on a busy machine the calls may fall into several of them.
        Assert.InRange(lines, 1, 8 * (1 + (int)(Stopwatch.GetElapsedTime(started).TotalSeconds / 10)));
    }

    [Fact]
    public void UserNameTimeout_OutOfItsRange_IsRefusedByName()
    {
        var options = new SharedMemoryPeerOptions();

        Assert.All(
            (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromHours(2)],
            time => Assert.Equal(
                nameof(SharedMemoryPeerOptions.UserNameTimeout),
                Assert.Throws<ArgumentOutOfRangeException>(() => options.UserNameTimeout = time).ParamName));
    }
}
