using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class ServiceCollectionTests : HubTest
{
    [Fact]
    public async Task AddEventBusClient_WithAGrpcClient_IsOneForAllAndConnects()
    {
        var services = NewServices(Connect());
        services.AddEventBusClient(options => options.Name = "from services");
        services.AddEventBusClient();
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<EventClient>();
        Assert.Same(client, provider.GetRequiredService<EventClient>());
        Assert.Equal(EventBusConnectionState.Disconnected, client.State);
        await client.ConnectAsync().InTime();
        await ClientTest.ReceiveAsync(client, "m");

        Assert.Equal("from services", (await client.ListMachinesAsync().SingleAsync().InTime()).Owner);
    }

    [Fact]
    public async Task AddEventBusClient_Logger_IsThatOfTheServices()
    {
        var logs = new RecordingLoggerProvider();
        var services = NewServices(Connect());
        services.AddLogging(logging => logging.AddProvider(logs));
        services.AddEventBusClient();
        await using var provider = services.BuildServiceProvider();

        await provider.GetRequiredService<EventClient>().ConnectAsync().InTime();

        Assert.Contains(logs.Lines, line => line.Contains("is Connected", StringComparison.Ordinal));
    }

    [Fact]
    public void AddEventBusClient_WithoutAGrpcClient_SaysWhatIsMissing()
    {
        var services = new ServiceCollection();
        services.AddEventBusClient();
        using var provider = services.BuildServiceProvider();

        var exception = Assert.Throws<InvalidOperationException>(provider.GetRequiredService<EventClient>);

        Assert.Contains("AddGrpcClient", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddEventBusClient_Configuration_SetsWhatItNamesAndCodeHasTheLastWord()
    {
        var services = new ServiceCollection();
        services.AddEventBusClient(
            Configuration(
                ("Name", "configured"), ("ConnectTimeout", "00:00:07"),
                ("AcknowledgementTimeout", "00:00:08"), ("MaxPendingSends", "11"),
                ("ReceiveWindow", "12"), ("DeliverLocally", "false"),
                ("MeasureDestinations", "true"), ("Address", "shm:elsewhere")),
            options => options.ReceiveWindow = 13);
        using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<EventBusClientOptions>>().Value;

        Assert.Equal("configured", options.Name);
        Assert.Equal(TimeSpan.FromSeconds(7), options.ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(8), options.AcknowledgementTimeout);
        Assert.Equal(11, options.MaxPendingSends);
        Assert.Equal(13, options.ReceiveWindow);
        Assert.False(options.DeliverLocally);
        Assert.True(options.MeasureDestinations);
    }

    [Fact]
    public void AddEventBusClient_ConfigurationThatNamesNothing_LeavesTheDefaults()
    {
        var services = new ServiceCollection();
        services.AddEventBusClient(Configuration());
        using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<EventBusClientOptions>>().Value;

        var defaults = new EventBusClientOptions();
        Assert.Equal(defaults.Name, options.Name);
        Assert.Equal(defaults.ConnectTimeout, options.ConnectTimeout);
        Assert.Equal(defaults.MaxPendingSends, options.MaxPendingSends);
        Assert.True(options.DeliverLocally);
    }

    [Fact]
    public void AddEventBus_Configuration_BoundsTheHub()
    {
        var services = new ServiceCollection();
        services.AddEventBus(Configuration(("MaxIdLength", "99"), ("MaxBlockTime", "00:00:03")));
        using var provider = services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<EventBusOptions>>().Value;

        Assert.Equal(99, options.MaxIdLength);
        Assert.Equal(TimeSpan.FromSeconds(3), options.MaxBlockTime);
    }

    [Theory]
    [InlineData("MaxIdLength", "0")]
    [InlineData("MaxMailboxCapacity", "-1")]
    [InlineData("MaxBlockTime", "00:00:00")]
    public void AddEventBus_ConfigurationThatMakesNoSense_IsRefusedByItsName(string name, string value)
    {
        var services = new ServiceCollection();
        services.AddEventBus(Configuration((name, value)));
        using var provider = services.BuildServiceProvider();

        var exception = Assert.ThrowsAny<Exception>(
            () => provider.GetRequiredService<IOptions<EventBusOptions>>().Value);

        Assert.Contains(name, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HealthChecks_NamesAndTags_AreThoseAskedFor()
    {
        var services = NewServices(Connect());
        services.AddLogging();
        services.AddEventBusClient();
        services.AddHealthChecks().AddEventBusClient("bus", HealthStatus.Degraded, ["ready"]);
        await using var provider = services.BuildServiceProvider();

        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync().InTime();

        var entry = Assert.Single(report.Entries);
        Assert.Equal("bus", entry.Key);
        Assert.Equal(HealthStatus.Degraded, entry.Value.Status);
        Assert.Equal(["ready"], entry.Value.Tags);
    }

    [Theory]
    [InlineData("ReciveWindow", "'Bus:ReciveWindow' is no setting. The settings of 'Bus' are Acknow")]
    [InlineData("SendPipeline", "'Bus:SendPipeline' can only be set in code.")]
    public void AddEventBusClient_KeyThatIsNoSetting_IsRefusedByName(string key, string expected)
    {
        var refused = Assert.Throws<ArgumentException>(
            () => new ServiceCollection().AddEventBusClient(Section((key, "1"))));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddEventBusClient_AllThatTextCanSet_IsTaken()
    {
        // Whatever the options get in the future, too. A section may also have the settings of the hub and of the
        // connection.
        var settings = typeof(EventBusClientOptions).GetProperties().Concat(typeof(EventBusOptions).GetProperties())
            .Where(static property => property.PropertyType.IsValueType || property.PropertyType == typeof(string))
            .Select(static property => (property.Name, "x"))
            .Distinct()
            .Append(("address", "shm:hub"))
            .Append(("WaitForServer", "00:00:01"));

        Assert.NotNull(new ServiceCollection().AddEventBusClient(Section([.. settings])));
    }

    private static IConfiguration Section(params (string Name, string Value)[] settings) =>
        Configuration([.. settings.Select(static setting => ("Bus:" + setting.Name, setting.Value))])
        .GetSection("Bus");

    private static ServiceCollection NewServices(HubChannel channel)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new Contract.EventBusClient(channel));
        return services;
    }

    private static IConfiguration Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
        .AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value))
        .Build();
}
