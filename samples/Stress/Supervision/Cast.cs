using System.Globalization;

namespace Samples.Stress.Supervision;

/// <summary>All processes of a run.</summary>
internal sealed class Cast : IAsyncDisposable
{
    // Each start takes some hundred milliseconds of a processor.
    private const int StartsAtOnce = 4;

    private readonly StressOptions _options;
    private readonly string _directory;
    private SampleEndpoint _endpoint;

    public Cast(StressOptions options, string directory)
    {
        _options = options;
        _directory = directory;
        _endpoint = SampleEndpoint.CreateUnique(options.Transport);
        Hub = MakeHub();
    }

    public Member Hub { get; private set; }

    public IReadOnlyList<Member> Producers { get; private set; } = [];

    public IReadOnlyList<Member> Consumers { get; private set; } = [];

    public IEnumerable<Member> All => [Hub, .. Producers, .. Consumers];

    /// <summary>The resources of the hub before the first client.</summary>
    public ProcessFigures IdleHub { get; private set; }

    /// <summary>
    /// Starts the hub, then the consumers, then the producers. Whether or not all start, the owner has to dispose of
    /// this.
    /// </summary>
    public async Task StartAsync(RunProgress progress, CancellationToken cancellationToken)
    {
        var address = await Hub.StartAsync(cancellationToken);
        if (address != _endpoint.Address)
        {
            // The hub chose a free port. Its next lives must use the same port.
            await Hub.DisposeAsync();
            _endpoint = _endpoint with { Address = address };
            Hub = MakeHub();
            await Hub.StartAsync(cancellationToken);
        }

        progress.Advance();
        IdleHub = Hub.Look() ?? throw new IOException("The hub ended as soon as it had started.");
        Producers = [.. Enumerable.Range(0, _options.Producers).Select(MakeProducer)];
        Consumers = [.. Enumerable.Range(0, _options.Consumers).Select(MakeConsumer)];

        // All consumers run before the first event.
        foreach (var some in Consumers.Chunk(StartsAtOnce).Concat(Producers.Chunk(StartsAtOnce)))
        {
            await Task.WhenAll(some.Select(member => StartAsync(member, progress, cancellationToken)));
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

    private static string Number(double number) => number.ToString(CultureInfo.InvariantCulture);

    private string[] LanesArgument => _options.UsesLanes ? ["--lanes"] : [];

    private Member MakeHub() =>
        new(MemberKind.Hub, 0, ["hub", "--transport", _options.TransportName, _endpoint.Address]);

    private Member MakeProducer(int index)
    {
        var tracks = _options.Tracks;
        return new Member(
            MemberKind.Producer,
            index,
            [
                "producer",
                Number(index),
                Number(_options.Consumers),
                ProducerJournalPath(_directory, index),
                _endpoint.Address,
                "--transport", _options.TransportName,
                "--in-flight", Number(tracks.InFlight),
                "--payload", Number(tracks.MaxBody),
                "--rate", Number(tracks.Rate * _options.Consumers),
                .. LanesArgument,
            ]);
    }

    private Member MakeConsumer(int index) => new(
        MemberKind.Consumer,
        index,
        [
            "consumer",
            Number(index),
            Number(_options.Producers),
            ConsumerJournalPath(_directory, index),
            _endpoint.Address,
            "--transport", _options.TransportName,
            .. LanesArgument,
        ]);
}
