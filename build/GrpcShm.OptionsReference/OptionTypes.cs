using System.Reflection;
using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.Client;
using GrpcShm.EventBus;
using GrpcShm.EventBus.Client;
using GrpcShm.Loans;
using GrpcShm.Transport;

namespace GrpcShm.OptionsReference;

/// <summary>All types of options, in the order of the page.</summary>
internal static class OptionTypes
{
    private static readonly Type[] Bindable =
        [typeof(bool), typeof(int), typeof(long), typeof(string), typeof(TimeSpan)];

    public static IReadOnlyList<OptionType> All { get; } =
    [
        new(
            typeof(SharedMemoryTransportOptions),
            new SharedMemoryTransportOptions(),
            """
            Of a server, for all its shared-memory endpoints. In code: `builder.WebHost.UseSharedMemory(options => …)`.
            In the configuration: the section `SharedMemory`.
            """,
            static option => SharedMemorySection.Keys.Contains(option.Name)
                ? $"{SharedMemorySection.Name}:{option.Name}"
                : option.Name switch
                {
                    SharedMemorySection.Endpoints => $"{SharedMemorySection.Name}:{option.Name}:0",
                    SharedMemorySection.Linux => $"{SharedMemorySection.Name}:{option.Name}",
                    _ => null,
                }),
        new(
            typeof(LinuxRendezvousOptions),
            new LinuxRendezvousOptions(),
            """
            Of a server, on Linux only. In code: `options.OnLinux(linux => …)` within `UseSharedMemory`. In the
            configuration: the section `SharedMemory:Linux`.
            """,
            static option => SharedMemorySection.LinuxKeys.Contains(option.Name)
                ? $"{SharedMemorySection.Name}:{SharedMemorySection.Linux}:{option.Name}"
                : null),
        new(
            typeof(SharedMemoryPeerOptions),
            new SharedMemoryPeerOptions(),
            """
            Of a server that authenticates its callers by the users of their processes: see [Say who may
            call](../how-to/secure.md). In code: `services.AddAuthentication().AddSharedMemoryPeer(options => …)`.
            """,
            static _ => null),
        new(
            typeof(SharedMemoryClientOptions),
            new SharedMemoryClientOptions(),
            """
            Of a channel or of a client of the client factory. In code: `SharedMemoryChannel.ForAddress(address, new
            SharedMemoryClientOptions { … })`, or `services.AddGrpcClient<T>().UseSharedMemory(address, options => …)`.
            In the configuration: the section that you pass to `UseSharedMemory(configuration.GetSection("…"))`, which
            also has the `Address`.
            """,
            InSection),
        new(
            typeof(LoanPoolOptions),
            new LoanPoolOptions(),
            """
            Of the memory of [large payloads](../how-to/send-large-payloads.md). In code: an argument of
            `new LoanPool(…)`.
            """,
            static _ => null),
        new(
            typeof(EventBusOptions),
            new EventBusOptions(),
            """
            Of a hub of the event service. In code: `services.AddEventBus(options => …)`. In the configuration: the
            section that you pass to `AddEventBus(configuration.GetSection("…"))`.
            """,
            InSection),
        new(
            typeof(LocalMachineOptions),
            new LocalMachineOptions(),
            """
            Of the machines in the hub's own process. In code: `services.Configure<LocalMachineOptions>(options => …)`.
            It also has the options of [PayloadOptions](#payloadoptions).
            """,
            static _ => null),
        new(
            typeof(EventBusClientOptions),
            new EventBusClientOptions(),
            """
            Of a client of the event service. In code: `new EventClient(channel, new EventBusClientOptions { … })`, or
            `services.AddEventBusClient(options => …)`. In the configuration: the section that you pass to
            `AddEventBusClient(configuration.GetSection("…"))`. It also has the options of
            [PayloadOptions](#payloadoptions).
            """,
            static option => typeof(ClientSettings).GetProperty(option.Name) is null ? null : option.Name),
        new(
            typeof(PayloadOptions),
            new EventBusClientOptions(),
            "Of a client, and of the machines in the hub's own process: part of the options of both.",
            static _ => null),
        new(
            typeof(MachineOptions),
            new MachineOptions(),
            """
            Of one machine, or of one subscription. In code: an argument of `RegisterMachineAsync` and of the methods
            that subscribe.
            """,
            static _ => null),
        new(
            typeof(EventSendOptions),
            new EventSendOptions(),
            "Of one send. In code: an argument of `SendEventAsync`.",
            static _ => null),
        new(
            typeof(EventPublishOptions),
            new EventPublishOptions(),
            "Of one publication. In code: an argument of `PublishAsync`.",
            static _ => null),
    ];

    /// <summary>The public types that are options by their names.</summary>
    public static IEnumerable<Type> Public() =>
        Assemblies.SelectMany(static assembly => assembly.GetExportedTypes())
            .Where(static type => type.Name.EndsWith("Options", StringComparison.Ordinal));

    private static IEnumerable<Assembly> Assemblies =>
    [
        typeof(SharedMemoryMode).Assembly,
        typeof(SharedMemoryClientOptions).Assembly,
        typeof(SharedMemoryTransportOptions).Assembly,
        typeof(LoanPool).Assembly,
        typeof(EventClient).Assembly,
        typeof(EventHub).Assembly,
    ];

    // The configuration binder sets what has a text form.
    private static string? InSection(PropertyInfo option)
    {
        var type = Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
        return option.CanWrite && (type.IsEnum || Bindable.Contains(type)) ? option.Name : null;
    }
}
