using GrpcShm.AspNetCore;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcShm.Hosting.Tests;

/// <summary>Options that are refused: values without a name, and values that contradict each other.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void Choice_WithoutAName_IsRefusedWithTheOptionTheValueAndTheNames()
    {
        var server = new SharedMemoryTransportOptions();
        var client = new SharedMemoryClientOptions();

        Refuses("Mode cannot be 7. It is one of Auto, Direct, Http2.", () => server.Mode = (SharedMemoryMode)7);
        Refuses("RunMode cannot be -1. It is one of Adaptive, Inline, Th", () => server.RunMode = (RunMode)(-1));
        Refuses("Mode cannot be 7. It is one of Auto, Direct, Http2.", () => client.Mode = (SharedMemoryMode)7);
        Refuses("RunMode cannot be -1. It is one of Adaptive, Inline, Th", () => client.RunMode = (RunMode)(-1));
    }

    [Theory]
    [InlineData("Mode", "Fast", "'SharedMemory:Mode' is 'Fast'. It has to be one of Auto, Direct, Http2.")]
    [InlineData("Mode", "7", "'SharedMemory:Mode' is '7'. It has to be one of Auto, Direct, Http2.")]
    [InlineData("runmode", "inlined", "'SharedMemory:runmode' is 'inlined'. It has to be one of Adaptive, Inline, Th")]
    public async Task Start_ChoiceInTheConfigurationWithoutAName_IsRefusedWithTheNames(
        string key, string value, string message)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestServer.StartAsync(null, ($"SharedMemory:{key}", value)));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_BitsOfAModeThatMeanNothing_AreRefused()
    {
        var refused = await RefusedAsync(static options =>
        {
            options.LinuxRendezvous.SocketMode = (UnixFileMode)0x1180;
            options.LinuxRendezvous.DirectoryMode = (UnixFileMode)(-1);
        });

        Assert.Contains(
            "LinuxRendezvousOptions.SocketMode is 4480, and the bits 0x1000 of it", refused, StringComparison.Ordinal);
        Assert.Contains("LinuxRendezvousOptions.DirectoryMode is -1, and the bits", refused, StringComparison.Ordinal);
        Assert.Contains("UserWrite", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PartLargerThanItsWhole_IsRefusedAndNamesBoth()
    {
        var refused = await RefusedAsync(static options =>
        {
            options.RingSize = 8192;
            options.MaxRingSize = 4096;
            options.MaxBufferedBytesPerConnection = 3 * 1024 * 1024;
            options.MaxBufferedBytes = 2 * 1024 * 1024;
        });

        Assert.Contains(
            "SharedMemoryTransportOptions.RingSize is 8192 bytes, more than MaxRingSize, which is 4096.",
            refused,
            StringComparison.Ordinal);
        Assert.Contains(
            "MaxBufferedBytesPerConnection is 3145728 bytes, more than MaxBufferedBytes, which is 2097152. Raise "
            + "MaxBufferedBytes, or lower MaxBufferedBytesPerConnection.",
            refused,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PartAsLargeAsItsWhole_IsTaken()
    {
        await using var server = await TestServer.StartAsync(static builder =>
        {
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("equal"));
            builder.WebHost.UseSharedMemory(static options =>
            {
                options.RingSize = options.MaxRingSize;
                options.MaxBufferedBytesPerConnection = options.MaxBufferedBytes;
            });
        });

        Assert.Single(server.Urls);
    }

    [Fact]
    public async Task Start_OnlyTheWholeIsLowered_IsTakenAndTheLowerBoundDecides()
    {
        await using var server = await TestServer.StartAsync(
            null, ("SharedMemory:Endpoints:0", "lowered"), ("SharedMemory:MaxBufferedBytes", "1048576"));

        // Clients are told of no more calls than the endpoint has room for.
        var options = server.Services.GetRequiredService<IOptions<SharedMemoryTransportOptions>>().Value;
        Assert.Equal(
            new SharedMemoryTransportOptions { MaxBufferedBytesPerConnection = 1024 * 1024 }.MostCalls,
            options.MostCalls);
        Assert.NotEqual(new SharedMemoryTransportOptions().MostCalls, options.MostCalls);
    }

    private static void Refuses(string message, Action set) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentOutOfRangeException>(set).Message, StringComparison.Ordinal);

    private static async Task<string> RefusedAsync(Action<SharedMemoryTransportOptions> configure)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestServer.StartAsync(builder => builder.WebHost.UseSharedMemory(configure)));
        return refused.Message;
    }
}
