using System.Globalization;

namespace Samples.Stress.Supervision;

/// <summary>All processes of a run.</summary>
internal sealed class Cast : IAsyncDisposable
{
    // Each start takes some hundred milliseconds of a processor.
    private const int StartsAtOnce = 4;

    private readonly StressOptions _options;
    private readonly string _directory;

    private Cast(StressOptions options, string directory, Member hub)
    {
        _options = options;
        _directory = directory;
        Hub = hub;
    }

    public Member Hub { get; }

    public IReadOnlyList<Member> Producers { get; private set; } = [];

    public IReadOnlyList<Member> Consumers { get; private set; } = [];

    public IEnumerable<Member> All => [Hub, .. Producers, .. Consumers];

    /// <summary>The resources of the hub before the first client.</summary>
    public ProcessFigures IdleHub { get; private set; }

    /// <summary>Starts the hub, then the consumers, then the producers.</summary>
    public static async Task<Cast> StartAsync(
        StressOptions options, string directory, RunProgress progress, CancellationToken cancellationToken)
    {
        var endpoint = SampleEndpoint.CreateUnique(options.Transport);
        var hub = MakeHub(endpoint, options);
        var address = await hub.StartAsync(cancellationToken);
        if (address != endpoint.Address)
        {
            // The hub chose a free port. Its next lives must use the same port.
            await hub.DisposeAsync();
            endpoint = endpoint with { Address = address };
            hub = MakeHub(endpoint, options);
            await hub.StartAsync(cancellationToken);
        }

        progress.Advance();
        var cast = new Cast(options, directory, hub);
        try
        {
            cast.IdleHub = hub.Look() ?? throw new IOException("The hub ended as soon as it had started.");
            cast.Producers = [.. Enumerable.Range(0, options.Producers).Select(i => cast.MakeProducer(i, endpoint))];
            cast.Consumers = [.. Enumerable.Range(0, options.Consumers).Select(i => cast.MakeConsumer(i, endpoint))];

            // All consumers run before the first event.
            foreach (var some in cast.Consumers.Chunk(StartsAtOnce).Concat(cast.Producers.Chunk(StartsAtOnce)))
            {
                await Task.WhenAll(some.Select(member => StartAsync(member, progress, cancellationToken)));
            }

            return cast;
        }
        catch
        {
            await cast.DisposeAsync();
            throw;
        }
    }

    public static string ProducerJournalPath(string directory, int index) =>
        Path.Combine(directory, $"producer-{index}.journal");

    public static string ConsumerJournalPath(string directory, int index) =>
        Path.Combine(directory, $"consumer-{index}.journal");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Producers.Concat(Consumers).Select(member => member.DisposeAsync().AsTask()));
        await Hub.DisposeAsync();
    }

    private static async Task StartAsync(Member member, RunProgress progress, CancellationToken cancellationToken)
    {
        await member.StartAsync(cancellationToken);
        progress.Advance();
    }

    private static Member MakeHub(SampleEndpoint endpoint, StressOptions options) =>
        new(MemberKind.Hub, 0, ["hub", "--transport", options.TransportName, endpoint.Address]);

    private static string Number(double number) => number.ToString(CultureInfo.InvariantCulture);

    private Member MakeProducer(int index, SampleEndpoint endpoint)
    {
        var lanes = _options.Lanes;
        return new Member(
            MemberKind.Producer,
            index,
            [
                "producer",
                Number(index),
                Number(_options.Consumers),
                ProducerJournalPath(_directory, index),
                endpoint.Address,
                "--transport", _options.TransportName,
                "--in-flight", Number(lanes.InFlight),
                "--payload", Number(lanes.MaxBody),
                "--rate", Number(lanes.Rate * _options.Consumers),
            ]);
    }

    private Member MakeConsumer(int index, SampleEndpoint endpoint) => new(
        MemberKind.Consumer,
        index,
        [
            "consumer",
            Number(index),
            Number(_options.Producers),
            ConsumerJournalPath(_directory, index),
            endpoint.Address,
            "--transport", _options.TransportName,
        ]);
}
