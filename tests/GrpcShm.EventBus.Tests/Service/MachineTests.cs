using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class MachineTests : HubTest
{
    private const int MaxMachines = 10_000;

    [Fact]
    public async Task RegisterMachines_ThenSubscribe_GetsWhatWasSentInBetween()
    {
        await RegisterAsync("p", "m");
        await Client.SendAsync(new SendRequest { Event = NewEvent("m", "EARLY") }).ResponseAsync.InTime();

        using var call = Client.Subscribe(
            new SubscribeRequest { InstanceId = "p", Subscription = new Subscription { Inbox = "m" } });

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.NotNull(call.ResponseStream.Current.Subscribed);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal("EARLY", call.ResponseStream.Current.Deliveries.Single().Event.Name);
    }

    [Fact]
    public async Task RegisterMachines_WithOneThatIsTaken_RegistersNone()
    {
        await using var owner = await OpenMachineAsync("taken");

        await FailsAsync(
            Client.RegisterMachinesAsync(new RegisterMachinesRequest
            {
                InstanceId = "p",
                Registrations = { new Registration { MachineId = "free" }, new Registration { MachineId = "taken" } },
            }),
            StatusCode.AlreadyExists);

        await FailsAsync(Client.SendAsync(new SendRequest { Event = NewEvent("free") }), StatusCode.NotFound);
    }

    [Fact]
    public async Task RegisterMachines_AgainWithOneThatIsTaken_TakesNothingAway()
    {
        await using var owner = await OpenMachineAsync("taken");
        await RegisterAsync("p", "mine");

        await FailsAsync(
            Client.RegisterMachinesAsync(new RegisterMachinesRequest
            {
                InstanceId = "p",
                Registrations =
                {
                    new Registration { MachineId = "mine", Groups = { "new" } },
                    new Registration { MachineId = "taken" },
                },
            }),
            StatusCode.AlreadyExists);

        await Client.SendAsync(new SendRequest { Event = NewEvent("mine") }).ResponseAsync.InTime();
        var request = new ListMachinesRequest { MachinePattern = "mine" };
        var machine = (await Client.ListMachinesAsync(request).ResponseAsync.InTime()).Machines;
        Assert.Empty(Assert.Single(machine).Groups);
    }

    [Fact]
    public async Task RegisterMachines_BeyondTheLimit_RegistersNone()
    {
        await RegisterAsync("p", "first");
        var request = new RegisterMachinesRequest { InstanceId = "p" };
        request.Registrations.AddRange(
            Enumerable.Range(0, MaxMachines).Select(i => new Registration { MachineId = $"m{i}" }));

        await FailsAsync(Client.RegisterMachinesAsync(request), StatusCode.ResourceExhausted);

        Assert.Equal(1u, (await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime()).Machines);
    }

    [Fact]
    public async Task UnregisterMachines_OfAnotherProcess_IsDenied()
    {
        await RegisterAsync("p", "m");

        await FailsAsync(
            Client.UnregisterMachinesAsync(new UnregisterMachinesRequest { InstanceId = "q", MachineIds = { "m" } }),
            StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task ListMachines_TenThousand_AreListedInPages()
    {
        await using var session = OpenSession();
        for (var first = 0; first < 10_000; first += 1000)
        {
            await session.SendAsync([.. Enumerable.Range(first, 1000).Select(number => new SessionCommand
            {
                Register = new Registration
                {
                    MachineId = $"m{number:D5}", Groups = { "all", number % 2 == 0 ? "even" : "odd" },
                },
            })]).InTime();
        }

        await session.CompletedAsync().InTime();

        var listed = new List<string>();
        var token = "";
        do
        {
            var page = await Client.ListMachinesAsync(
                new ListMachinesRequest { Group = "even", MachinePattern = "m0*", PageToken = token })
                .ResponseAsync.InTime();
            listed.AddRange(page.Machines.Select(machine => machine.MachineId));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(Enumerable.Range(0, 5000).Select(number => $"m{number * 2:D5}"), listed);
        var health = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();
        Assert.Equal(10_000u, health.Machines);
        Assert.Equal(HubStatus.Serving, health.Status);
    }

    [Theory]
    [InlineData("*-a-*", "x-a-y x-a-z")]
    [InlineData("x-?-y", "x-a-y x-b-y")]
    [InlineData("x-a*", "x-a-y x-a-z")]
    [InlineData("x-a-y", "x-a-y")]
    [InlineData("**", "x-a-y x-a-z x-b-y")]
    [InlineData("nobody*", "")]
    public async Task PublishAndList_ByAPattern_ConcernThoseThatMatch(string pattern, string expected)
    {
        string[] ids = ["x-a-y", "x-a-z", "x-b-y"];
        await using var session = OpenSession();
        for (uint i = 0; i < ids.Length; i++)
        {
            await SubscribeAsync(session, new Subscription { Number = i + 1, Inbox = ids[i] });
        }

        var matching = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var listed =
            await Client.ListMachinesAsync(new ListMachinesRequest { MachinePattern = pattern }).ResponseAsync.InTime();
        var published = await Client.PublishAsync(new PublishRequest
        {
            Publication = new Publication { Event = new Event { Name = "E" }, MachinePattern = pattern },
        }).ResponseAsync.InTime();

        Assert.Equal(matching, listed.Machines.Select(static machine => machine.MachineId));
        Assert.Equal((uint)matching.Length, published.Recipients);
        var reached = new List<string>();
        for (var i = 0; i < matching.Length; i++)
        {
            reached.Add(ids[(await session.Deliveries.ReadAsync().InTime()).Subscription - 1]);
        }

        Assert.Equal(matching, reached.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task SendMany_SomeFailing_ReportsThem()
    {
        await using var target = await OpenMachineAsync("m");
        using var call = Client.SendMany();
        await call.RequestStream.WriteAsync(
            new SendManyRequest { Events = { NewEvent("m", "A"), NewEvent("nobody"), NewEvent("m", "B") } }).InTime();
        await call.RequestStream.CompleteAsync().InTime();

        var response = await call.ResponseAsync.InTime();

        Assert.Equal(2ul, response.Accepted);
        Assert.Equal(1ul, response.Failed);
        var failure = Assert.Single(response.Failures);
        Assert.Equal((2ul, "nobody"), (failure.Number, failure.MachineId));
        Assert.Equal("A", (await target.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.Equal("B", (await target.Deliveries.ReadAsync().InTime()).Event.Name);
    }

    protected override void Configure(EventBusOptions options) => options.MaxMachines = MaxMachines;

    private Task<RegisterMachinesResponse> RegisterAsync(string instanceId, string machineId) =>
        Client.RegisterMachinesAsync(new RegisterMachinesRequest
        {
            InstanceId = instanceId,
            Registrations = { new Registration { MachineId = machineId } },
        }).ResponseAsync.InTime();
}
