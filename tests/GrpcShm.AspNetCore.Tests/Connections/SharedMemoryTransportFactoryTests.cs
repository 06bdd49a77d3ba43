using System.Diagnostics.Metrics;
using System.Net;
using GrpcShm.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Tests.Connections;

public sealed class SharedMemoryTransportFactoryTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly SharedMemoryEndPoint _endPoint = new($"test-{Guid.NewGuid():N}");

    public void Dispose()
    {
        _services.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(1024, 128, 1024, 1024)]
    [InlineData(65_536, 1, 1024, 9)]
    [InlineData(65_536, 128, 1, 9)]
    [InlineData(65_536, 16 * 1024, 16 * 1024, 65_536)]
    [InlineData(1, 1, 1, 1)]
    public void MostCalls_OfWhichClientsAreTold_AreNoMoreThanTheMemoryKeeps(
        int calls, long ofAConnection, long ofTheEndpoint, int expected)
    {
        const long Mebibyte = 1024 * 1024;
        var options = new SharedMemoryTransportOptions
        {
            MaxCallsPerConnection = calls,
            MaxBufferedBytesPerConnection = ofAConnection * Mebibyte,
            MaxBufferedBytes = ofTheEndpoint * Mebibyte,
        };

        Assert.Equal(expected, options.MostCalls);
    }

    [Fact]
    public void CanBind_OnlySharedMemory_LeavesOthersToOthers()
    {
        var factory = Create();
        Assert.True(factory.CanBind(_endPoint));
        Assert.False(factory.CanBind(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.False(factory.CanBind(new System.Net.Sockets.UnixDomainSocketEndPoint("/run/x")));
    }

    [Fact]
    public async Task BindAsync_NameIsInUse_IsAddressInUse()
    {
        var first = await Create().BindAsync(_endPoint, TestContext.Current.CancellationToken).InTime();
        await using (first)
        {
            var refused = await Assert.ThrowsAsync<AddressInUseException>(
                () => Create().BindAsync(_endPoint, TestContext.Current.CancellationToken).InTime());
            Assert.Contains(_endPoint.ToString(), refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task UnbindAsync_AcceptIsPending_EndsItAndFreesTheName()
    {
        var first = await Create().BindAsync(_endPoint, TestContext.Current.CancellationToken).InTime();
        var accept = first.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        await first.UnbindAsync(TestContext.Current.CancellationToken).InTime();
        Assert.Null(await accept.InTime());
        await using var second = await Create().BindAsync(_endPoint, TestContext.Current.CancellationToken).InTime();
        await first.DisposeAsync();
    }

    private SharedMemoryTransportFactory Create() =>
        new(
            Options.Create(new SharedMemoryTransportOptions { RuntimeDirectory = _directory.Path }),
            NoApplication.Create(),
            NullLoggerFactory.Instance,
            _services.GetRequiredService<IMeterFactory>());
}
