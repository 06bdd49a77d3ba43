using System.Text.RegularExpressions;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcShm.EventBus.Tests.Docs;

/// <summary><c>docs/how-to</c>: the code of its pages is compiled here, and sets what the pages say.</summary>
public sealed partial class HowToPagesTests
{
    // Tests do not have the packages of OpenTelemetry.
    private const string Foreign = "AddOpenTelemetry";

    [Theory]
    [InlineData("configure.md", 5)]
    [InlineData("containers.md", 2)]
    [InlineData("migrate.md", 4)]
    [InlineData("observe.md", 2)]
    [InlineData("replace-a-server.md", 2)]
    public void Page_EveryLineOfItsCode_IsCompiled(string name, int atLeast)
    {
        var compiled = Normalize(Read("tests", "GrpcShm.EventBus.Tests", "Docs", "HowToPages.cs"));
        var blocks = Block().Matches(Read("docs", "how-to", name))
            .Select(static match => match.Groups["code"].Value)
            .Where(static code => !code.Contains(Foreign, StringComparison.Ordinal))
            .ToList();

        Assert.True(blocks.Count >= atLeast);
        Assert.All(blocks, block => Assert.Contains(Normalize(block), compiled, StringComparison.Ordinal));
    }

    [Fact]
    public void Pages_TheirConfiguration_SetsWhatTheySay()
    {
        var builder = WebApplication.CreateBuilder();
        foreach (Match block in Json().Matches(Read("docs", "how-to", "configure.md")))
        {
            builder.Configuration.AddJsonStream(new MemoryStream(
                System.Text.Encoding.UTF8.GetBytes(block.Groups["code"].Value)));
        }

        HowToPages.ConfigureServerByItsSection(builder);
        HowToPages.ConfigureHub(builder);
        HowToPages.ConfigureClient(builder.Services, builder.Configuration);
        using var services = builder.Services.BuildServiceProvider();

        var server = services.GetRequiredService<IOptions<SharedMemoryTransportOptions>>().Value;
        Assert.Equal(["orders"], server.Endpoints);
        Assert.Equal(65536, server.RingSize);
        Assert.Equal(10_000, services.GetRequiredService<IOptions<EventBusOptions>>().Value.MaxMachines);
        var client = services.GetRequiredService<IOptionsMonitor<SharedMemoryClientOptions>>();
        Assert.Equal(TimeSpan.FromSeconds(10), client.Get(nameof(HowToPages.Orders.OrdersClient)).WaitForServer);
    }

    [Fact]
    public void Pages_TheirCode_SetsWhatTheySay()
    {
        var builder = WebApplication.CreateBuilder();
        HowToPages.ReplaceServer(builder);
        HowToPages.ConfigureServer(builder);
        HowToPages.ListenBefore(builder);
        HowToPages.ListenAfter(builder);
        HowToPages.ListenOnEachSystem(builder);
        HowToPages.CheckHealth(builder, new ServiceCollection());
        using var services = builder.Services.BuildServiceProvider();

        var server = services.GetRequiredService<IOptions<SharedMemoryTransportOptions>>().Value;
        Assert.Equal(TimeSpan.FromMinutes(1), server.WaitForName);
        Assert.Equal(64 * 1024, server.RingSize);
        Assert.Equal(
            TimeSpan.FromSeconds(30), services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        Assert.Equal("orders", HowToPages.ConnectOnEachSystem());
        Assert.Equal("orders", HowToPages.WaitForTheNextServer());
        Assert.Equal("orders", HowToPages.WaitForAServer());
        Assert.Same(NullLoggerFactory.Instance, HowToPages.Log(NullLoggerFactory.Instance).LoggerFactory);
    }

    [Fact]
    public async Task Configure_ACallThatWaits_WaitsUntilItsDeadline()
    {
        var invoker = new RecordingInvoker();

        await HowToPages.LetACallWaitAsync(new HowToPages.Orders.OrdersClient(invoker));

        Assert.True(invoker.Options.IsWaitForReady);
        Assert.NotNull(invoker.Options.Deadline);
    }

    private static string Read(params string[] path) => File.ReadAllText(Path.Join([SourceTree.Root, .. path]));

    // The pages' blocks are not indented as their methods are, and one shows a line that stands at the top of a file.
    private static string Normalize(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line =>
            line.Length > 0 && line != "using Microsoft.AspNetCore.Hosting;"));

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("^```json\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Json();
}
