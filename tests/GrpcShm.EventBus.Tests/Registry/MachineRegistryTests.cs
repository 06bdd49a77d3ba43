using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Registry;

/// <summary>Registrations of many machines at once, and who is told of them.</summary>
public sealed class MachineRegistryTests
{
    private static readonly string LongGroup = new('g', 200);

    private readonly EventBusOptions _options = new();
    private readonly MachineRegistry _registry = new(16, 1_000_000);

    [Fact]
    public void RegisterAll_GroupsThatTheOwnerOfOneHasNoRoomFor_RegistersNoneAndChangesNone()
    {
        _options.MaxRegistrationSizePerSession = 2000;
        var hub = new HubBudget(_options);
        var session = OwnerOf(hub, "p");
        Assert.True(_registry.Register(session, "filler", [LongGroup], out _).IsOk);
        Assert.True(_registry.Register(session, "old", ["a"], out var old).IsOk);
        var (machines, bytes) = (hub.Machines.Used, hub.Registrations.Used);

        // The lease has room for all of it. But the groups of a machine are counted where the machine is.
        var verdict = _registry.RegisterAll(
            OwnerOf(hub, "p", isLease: true), [New("new"), New("old", LongGroup + "1", LongGroup + "2")]);

        Assert.Equal(StatusCode.ResourceExhausted, verdict.Code);
        Assert.Contains("MaxRegistrationSizePerSession", verdict.Message, StringComparison.Ordinal);
        Assert.False(_registry.TryGet("new", out _));
        Assert.Equal(["a"], old!.Groups);
        Assert.Equal((machines, bytes), (hub.Machines.Used, hub.Registrations.Used));
    }

    [Fact]
    public void RegisterAll_WhatOneGivesBackAnotherTakes_IsCountedTogether()
    {
        _options.MaxRegistrationSizePerSession = 2500;
        var hub = new HubBudget(_options);
        var session = OwnerOf(hub, "p");
        Assert.True(_registry.Register(session, "a", [LongGroup + "1", LongGroup + "2"], out var a).IsOk);
        Assert.True(_registry.Register(session, "b", [], out var b).IsOk);

        // In this order the second one would have no room before the first one has given some.
        Assert.True(_registry.RegisterAll(session, [New("b", LongGroup + "1", LongGroup + "2"), New("a")]).IsOk);

        Assert.Equal((0, 2), (a!.Groups.Length, b!.Groups.Length));
    }

    [Fact]
    public void DescribeGone_OfAnOwnerThatHasEnded_NamesThoseThatItHadAtItsEnd()
    {
        var hub = new HubBudget(_options);
        var (ended, other) = (OwnerOf(hub, "p"), OwnerOf(hub, "q"));
        Assert.True(_registry.RegisterAll(ended, [New("before"), New("a"), New("b")]).IsOk);
        Assert.True(_registry.Register(other, "other", null, out _).IsOk);
        Assert.True(_registry.Unregister(ended, "before", out _).IsOk);
        Assert.Equal("none", _registry.DescribeGone(ended));

        Assert.Equal(2, _registry.End(ended, MachineChangeKind.Lost, "It ended."));

        Assert.Equal("'a', 'b'", _registry.DescribeGone(ended));
        Assert.Equal("none", _registry.DescribeGone(other));
    }

    [Theory]
    [InlineData(0, "none")]
    [InlineData(1, "'m0'")]
    [InlineData(5, "'m0', 'm1', 'm2', 'm3', 'm4'")]
    [InlineData(6, "'m0', 'm1', 'm2', 'm3', 'm4' and 1 more")]
    public void Describe_OfMachinesThatHaveGone_NamesAFewAndCountsTheOthers(int count, string expected)
    {
        var gone = new GoneMachines();
        for (var i = 0; i < count; i++)
        {
            gone.Add($"m{i}");
        }

        Assert.Equal(expected, gone.Describe());
    }

    [Fact]
    public void RegisterAll_OneTwice_IsOneWithTheGroupsOfTheLast()
    {
        var hub = new HubBudget(_options);
        var lease = OwnerOf(hub, "p", isLease: true);

        Assert.True(_registry.RegisterAll(lease, [New("m", "first"), New("m", "last")]).IsOk);

        Assert.True(_registry.TryGet("m", out var machine));
        Assert.Equal(["last"], machine!.Groups);
        Assert.Empty(_registry.InGroup("first"));
        _registry.End(lease, MachineChangeKind.Unregistered, "");
        Assert.Equal((0, 0), (hub.Machines.Used, hub.Registrations.Used));
    }

    [Fact]
    public void RegisterAll_ByManyWhoseMachinesDoNotAllFit_EachHasAllOrNone()
    {
        const int rounds = 100;
        const int owners = 8;
        _options.MaxMachines = 25;
        var hub = new HubBudget(_options);
        for (var round = 0; round < rounds; round++)
        {
            var registered = new ConcurrentBag<MachineOwner>();
            Parallel.For(0, owners, i =>
            {
                var owner = OwnerOf(hub, $"p{i}", isLease: true);
                var verdict = _registry.RegisterAll(owner, [.. Enumerable.Range(0, 10).Select(j => New($"{i}-{j}"))]);
                Assert.Equal(verdict.IsOk ? 10 : 0, owner.Machines.Count);
                if (verdict.IsOk)
                {
                    registered.Add(owner);
                }
            });

            Assert.Equal(2, registered.Count);
            Assert.Equal(20, _registry.Count);
            foreach (var owner in registered)
            {
                Assert.Equal(10, _registry.End(owner, MachineChangeKind.Unregistered, ""));
            }

            Assert.Equal((0, 0), (hub.Machines.Used, hub.Registrations.Used));
        }
    }

    [Fact]
    public void Register_WhatAnOwnerLeavesWhileItEnds_IsTheNextOnesOwn()
    {
        var hub = new HubBudget(_options);
        var old = OwnerOf(hub, "p");
        Assert.True(_registry.Register(old, "m", ["g"], out var left).IsOk);

        // As between two pieces of the end of many machines.
        old.Ending = (MachineChangeKind.Lost, "It ended.");
        var next = OwnerOf(hub, "p");
        Assert.True(_registry.Register(next, "m", null, out var machine).IsOk);
        _registry.End(old, MachineChangeKind.Lost, "It ended.");

        Assert.NotSame(left, machine);
        Assert.True(_registry.TryGet("m", out var found));
        Assert.Same(machine, found);
        Assert.Empty(_registry.InGroup("g"));
        Assert.Equal(1, hub.Machines.Used);
    }

    [Fact]
    public void RegisterAll_WhatAnOwnerLeavesWhileItEnds_NeedsNoNewPlaces()
    {
        var hub = new HubBudget(new EventBusOptions { MaxMachines = 2 });
        var old = OwnerOf(hub, "p");
        Assert.True(_registry.RegisterAll(old, [New("m"), New("n")]).IsOk);
        old.Ending = (MachineChangeKind.Lost, "It ended.");

        Assert.True(_registry.RegisterAll(OwnerOf(hub, "p"), [New("m"), New("n")]).IsOk);

        Assert.Equal(2, hub.Machines.Used);
        _registry.End(old, MachineChangeKind.Lost, "It ended.");
        Assert.Equal(2, hub.Machines.Used);
        Assert.Equal(2, _registry.Count);
    }

    [Fact]
    public async Task Watch_WhileMachinesComeAndGo_EachIsToldWhatIsThereOnceAndThenEachChangeInOrder()
    {
        // Many, so that much changes while they are named.
        const int watchers = 40;
        const int owners = 3;
        const int machines = 1000;
        const int changesForEach = 500;
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new EventBusMetrics(
            services.GetRequiredService<IMeterFactory>(),
            _registry,
            new HubLanes(_options, new ObserverTable()),
            namesDestinations: false,
            NullLogger.Instance);
        var hub = new HubBudget(_options);
        using var enough = new CancellationTokenSource();
        var watched = 0;
        var seed = Environment.TickCount;
        var changing = Enumerable.Range(0, owners).Select(i => Task.Run(() =>
        {
            var random = new Random(seed + i);
            var owner = OwnerOf(hub, $"p{i}");
            Assert.True(
                _registry.RegisterAll(owner, [.. Enumerable.Range(0, machines).Select(j => New($"{i}-{j}"))]).IsOk);
            for (var changes = 0; !enough.IsCancellationRequested;)
            {
                // However slowly the watchers are added, they are told of no more than they have room for.
                if (changes >= (Volatile.Read(ref watched) + 1) * changesForEach)
                {
                    Thread.Yield();
                    continue;
                }

                changes++;
                var id = $"{i}-{random.Next(machines)}";
                if (random.Next(500) == 0)
                {
                    var first = random.Next(machines);
                    _registry.RegisterAll(owner, [.. Enumerable.Range(first, machines).Select(j => New($"{i}-{j}"))]);
                }
                else if (random.Next(4) == 0)
                {
                    _registry.Register(owner, id, null, out _);
                }
                else
                {
                    _registry.Unregister(owner, id, out _);
                }
            }
        })).ToArray();

        var watching = new List<Mailbox>();
        for (var i = 0; i < watchers; i++)
        {
            var mailbox = new Mailbox(1_000_000, OverflowPolicy.Grow);
            var subscriber = new Subscriber(1, "", mailbox, new Outbox(runWriterInline: false), metrics);
            Assert.True(_registry.Watch(
                new MachineWatcher("*", subscriber, new SessionBudget(hub)), new RoutingContext()).IsOk);
            watching.Add(mailbox);
            Volatile.Write(ref watched, watching.Count);
        }

        await enough.CancelAsync();
        await Task.WhenAll(changing).InTime();
        var there = _registry.All.Select(machine => machine.Id).Order().ToArray();
        foreach (var mailbox in watching)
        {
            Assert.Equal(there, Replay(mailbox, seed).Order());
        }
    }

    [Fact]
    public async Task Watch_WhileItNamesTheMachines_OthersRegister()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new EventBusMetrics(
            services.GetRequiredService<IMeterFactory>(),
            _registry,
            new HubLanes(_options, new ObserverTable()),
            namesDestinations: false,
            NullLogger.Instance);
        var hub = new HubBudget(_options);
        var owner = OwnerOf(hub, "p");
        Assert.True(_registry.Register(owner, "m", null, out var machine).IsOk);
        using var goOn = new ManualResetEventSlim();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Whoever describes the machine waits for that.
        var holding = Task.Run(() =>
        {
            lock (LockOf(machine!))
            {
                isHeld.SetResult();
                Assert.True(goOn.Wait(TimeSpan.FromMinutes(1)));
            }
        });
        await isHeld.Task.InTime();
        var mailbox = new Mailbox(100, OverflowPolicy.Grow);
        var subscriber = new Subscriber(1, "", mailbox, new Outbox(runWriterInline: false), metrics);
        var watching = Task.Run(() => _registry.Watch(
            new MachineWatcher("*", subscriber, new SessionBudget(hub)), new RoutingContext()));
        await TimeLimit.UntilAsync(() => hub.Observers.Used > 0);

        Assert.True((await Task.Run(() => _registry.Register(owner, "other", null, out _)).InTime()).IsOk);

        goOn.Set();
        await holding.InTime();
        Assert.True((await watching.InTime()).IsOk);
        Assert.Equal(["m", "other"], Replay(mailbox, 0).Order());
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_lock")]
    private static extern ref Lock LockOf(MachineEntry machine);

    // What a watcher knows in the end, by what it was told.
    private static HashSet<string> Replay(Mailbox mailbox, int seed)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var isComplete = false;
        var items = new MailItem[1000];
        for (int taken; (taken = mailbox.Take(items, int.MaxValue)) > 0;)
        {
            foreach (var item in items.AsSpan(0, taken))
            {
                var (kind, id) = (item.Event.ToMessage().MachineChange.Kind, item.Event.Source);
                var isRight = kind switch
                {
                    MachineChangeKind.Present => !isComplete && known.Add(id),
                    MachineChangeKind.Complete => !isComplete && (isComplete = true),
                    MachineChangeKind.Registered => isComplete && known.Add(id),
                    _ => isComplete && known.Remove(id),
                };
                Assert.True(isRight, $"{kind} of '{id}', seed {seed}");
            }
        }

        Assert.True(isComplete);
        return known;
    }

    private static MachineOwner OwnerOf(HubBudget hub, string instance, bool isLease = false) =>
        new(PeerIdentity.Hub, new SessionBudget(hub), instance, "", isLease);

    private static Registration New(string machineId, params string[] groups) =>
        new() { MachineId = machineId, Groups = { groups } };
}
