using GrpcShm.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.Hosting.Tests;

/// <summary>A client's section of the configuration: what it takes, and what it refuses.</summary>
public sealed class ClientSectionTests
{
    [Fact]
    public void UseSharedMemory_WithoutAddress_NamesTheKey() =>
        Assert.Contains("no 'Orders:Address'", Refused(("RingSize", "8192")), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("http://localhost:5000")]
    [InlineData("shm/orders")]
    public void UseSharedMemory_WrongAddress_NamesTheKeyAndTheRightForm(string address)
    {
        var message = Refused(("Address", address));
        Assert.Contains("'Orders:Address'", message, StringComparison.Ordinal);
        Assert.Contains("'shm:orders'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WaitForServr", "'Orders:WaitForServr' is no setting. The settings of 'Orders' are Address, ")]
    [InlineData("AuthorizeServer", "'Orders:AuthorizeServer' can only be set in code.")]
    [InlineData("RingSize:Default", "'Orders:RingSize' has to be one value")]
    public void UseSharedMemory_KeyThatIsNoSetting_IsRefusedByName(string key, string expected) =>
        Assert.Contains(expected, Refused(("Address", "shm:orders"), (key, "1")), StringComparison.Ordinal);

    [Fact]
    public void UseSharedMemory_OneValueInsteadOfASection_SaysSo()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Orders"] = "shm:orders" })
            .Build();
        var refused = Assert.Throws<ArgumentException>(
            () => new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>()
                .UseSharedMemory(configuration.GetSection("Orders")));
        Assert.Contains("'Orders' is the value 'shm:orders'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UseSharedMemory_EnvironmentVariableOfTheSectionsName_IsNoMistake()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?> { ["Orders"] = "1", ["Orders:Address"] = "shm:orders" })
            .Build();
        Assert.NotNull(new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory(configuration.GetSection("Orders")));
    }

    [Theory]
    [InlineData("//")]
    [InlineData("_comment")]
    [InlineData("$schema")]
    public void UseSharedMemory_Remark_IsLeftAlone(string key) =>
        Assert.NotNull(Use(("Address", "shm:orders"), (key, "for people")));

    [Fact]
    public void UseSharedMemory_AllThatTextCanSet_IsTaken()
    {
        // Whatever the options get in the future, too.
        var settings = typeof(SharedMemoryClientOptions).GetProperties()
            .Where(static property => property.PropertyType.IsValueType || property.PropertyType == typeof(string))
            .Select(static property => (property.Name, "x"))
            .Append(("address", "shm:orders"));

        Assert.NotNull(Use([.. settings]));
    }

    [Theory]
    [InlineData("WaitForServer", "5", "must be less than or equal to '01:00:00'. A number alone counts days")]
    [InlineData("RingSize", "1000", "A ring's size is a power of two from 4096 to 67108864 bytes.")]
    [InlineData("RuntimeDirectory", " ", "RuntimeDirectory is empty.")]
    public void Client_ValueThatItsOptionRefuses_IsRefusedWithItsKey(string key, string value, string reason)
    {
        using var services = Use(("Address", "shm:orders"), (key, value)).Services.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(services.GetRequiredService<Greeter.GreeterClient>);

        Assert.StartsWith($"'Orders:{key}' is '{value}': ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Client_WholeConfigurationWithAWrongValue_IsRefusedWithItsKey()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?> { ["Address"] = "shm:orders", ["IdleTimeout"] = "30" })
            .Build();
        using var services = new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>()
            .UseSharedMemory(configuration).Services.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(services.GetRequiredService<Greeter.GreeterClient>);

        Assert.StartsWith("'IdleTimeout' is '30': ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("A number alone counts days", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UseSharedMemory_SettingsOfTheEventServicesClient_AreTaken() =>
        Assert.NotNull(Use(("Address", "shm:orders"), ("Name", "robot"), ("DeliverLocally", "false")));

    [Fact]
    public void UseSharedMemory_SettingsOfTheHub_AreTaken() =>
        Assert.NotNull(Use(("Address", "shm:orders"), ("MaxMachines", "10"), ("MaxBlockTime", "00:00:01")));

    [Fact]
    public void UseSharedMemory_WhatOnlyTheHubsCodeCanSet_IsRefused() =>
        Assert.Contains(
            "'Orders:Authorize' can only be set in code.",
            Refused(("Address", "shm:orders"), ("Authorize", "x")),
            StringComparison.Ordinal);

    private static string Refused(params (string Key, string Value)[] settings) =>
        Assert.Throws<ArgumentException>(() => Use(settings)).Message;

    private static IHttpClientBuilder Use(params (string Key, string Value)[] settings) =>
        new ServiceCollection().AddGrpcClient<Greeter.GreeterClient>().UseSharedMemory(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.ToDictionary(s => "Orders:" + s.Key, s => (string?)s.Value))
                .Build()
                .GetSection("Orders"));
}
