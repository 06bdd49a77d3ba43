using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Samples;
using Samples.Stress;
using Samples.Stress.Roles;

var producers = Count("--producers", "How many processes send events, from 1 to 100.", 10, 1, 100);
var consumers = Count(
    "--consumers", "How many processes receive events. Each gets events of every producer. From 1 to 100.", 10, 1, 100);
var inFlight = Count(
    "--in-flight",
    "How many unacknowledged events one producer may have sent to one consumer, from 1 to 64.",
    16,
    1,
    TrackOptions.MostInFlight);
var payload = Count(
    "--payload",
    "The most bytes in an event's body, from 0 to 1,048,576. The bodies differ in length.",
    512,
    0,
    1_048_576);
var seed = Count(
    "--seed",
    "The number that the choice of victims follows from. Without it the choice is random.",
    Random.Shared.Next(),
    0,
    int.MaxValue);
var rate = new Option<double>("--rate")
{
    Description = "Events a second of each producer. With 0, each sends as fast as events are acknowledged.",
    HelpName = "number",
    DefaultValueFactory = _ => 500,
    CustomParser = result => Parse(result, 0.0, 1_000_000.0),
};
var duration = new Option<TimeSpan>("--duration")
{
    Description = "How long the run takes, counted from when all processes have started: 30s, 5m, 24h.",
    HelpName = "time",
    DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
    CustomParser = ParseDuration,
};
var killInterval = new Option<TimeSpan?>("--kill-interval")
{
    Description =
        "The average time between two kills. A kill ends a producer, a consumer or the hub, which is then "
        + "started again. Without it no process is killed.",
    HelpName = "time",
    CustomParser = result => ParseDuration(result),
};
var transport = new Option<string>("--transport", "-t")
{
    Description = "The transport of the events: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");
var lanes = new Option<bool>("--lanes")
{
    Description =
        "Let producers and consumers send each other events past the hub, over lanes in shared memory, where the hub "
        + "grants that.",
};
var json = new Option<bool>("--json")
{
    Description = "Print the result as one JSON object, and nothing else, to the standard output.",
};

var progress = ProgressOption.Create();
var root = new RootCommand(
    "Producers and consumers, each in a process of its own, exchange events through the hub's process. "
    + "The events have numbers and checksums.\n\n"
    + "  Processes are killed during the run, if you ask for it. At the end the program checks that each event was\n"
    + "  processed once, in order, and undamaged.")
{
    producers, consumers, duration, killInterval, inFlight, payload, rate, transport, lanes, seed, json, progress,
};
root.SetAction((result, cancellationToken) => StressProgram.RunAsync(
    new StressOptions
    {
        Transport = ParseKind(result.GetRequiredValue(transport)),
        Producers = result.GetValue(producers),
        Consumers = result.GetValue(consumers),
        Duration = result.GetValue(duration),
        KillInterval = result.GetValue(killInterval),
        Seed = result.GetValue(seed),
        Tracks = Tracks(result, result.GetValue(consumers)),
        UsesLanes = result.GetValue(lanes),
        Json = result.GetValue(json),
    },
    result.CreateView(progress, result.GetValue(json)),
    cancellationToken));

// The program uses these commands to start its other processes; they are not for people.
var index = new Argument<int>("index");
var others = new Argument<int>("others");
var journal = new Argument<string>("journal");
var address = new Argument<string>("address");

var hub = new Command("hub", "Be the hub.") { address };
hub.SetAction((result, _) => HubProgram.RunAsync(Endpoint(result)));
Add(hub);

var producer = new Command("producer", "Be a producer.") { index, others, journal, address };
producer.Options.Add(inFlight);
producer.Options.Add(payload);
producer.Options.Add(rate);
producer.Options.Add(lanes);
producer.SetAction((result, _) => ProducerProgram.RunAsync(
    result.GetValue(index),
    result.GetValue(others),
    result.GetRequiredValue(journal),
    Tracks(result, result.GetValue(others)),
    Endpoint(result),
    result.GetValue(lanes)));
Add(producer);

var consumer = new Command("consumer", "Be a consumer.") { index, others, journal, address };
consumer.Options.Add(lanes);
consumer.SetAction((result, _) => ConsumerProgram.RunAsync(
    result.GetValue(index),
    result.GetValue(others),
    result.GetRequiredValue(journal),
    Endpoint(result),
    result.GetValue(lanes)));
Add(consumer);

return await root.Parse(args).InvokeAsync();

void Add(Command command)
{
    command.Hidden = true;
    command.Options.Add(transport);
    root.Subcommands.Add(command);
}

TrackOptions Tracks(ParseResult result, int tracks) =>
    new(result.GetValue(inFlight), result.GetValue(payload), result.GetValue(rate) / tracks);

SampleEndpoint Endpoint(ParseResult result) =>
    new(ParseKind(result.GetRequiredValue(transport)), result.GetRequiredValue(address));

static TransportKind ParseKind(string name) => Enum.Parse<TransportKind>(name, ignoreCase: true);

static Option<int> Count(string name, string description, int standard, int least, int most) => new(name)
{
    Description = description,
    HelpName = "number",
    DefaultValueFactory = _ => standard,
    CustomParser = result => Parse(result, least, most),
};

static T Parse<T>(ArgumentResult result, T least, T most)
    where T : struct, INumber<T>
{
    var text = result.Tokens.Single().Value;
    if (!T.TryParse(text, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
    {
        result.AddError(string.Create(
            CultureInfo.InvariantCulture,
            $"{((OptionResult)result.Parent!).Option.Name} must be a number from {least} to {most}, not '{text}'."));
    }

    return value;
}

static TimeSpan ParseDuration(ArgumentResult result)
{
    var text = result.Tokens.Single().Value;
    if (!Durations.TryParse(text, out var value))
    {
        var option = ((OptionResult)result.Parent!).Option.Name;
        result.AddError($"{option} must be a time such as 500ms, 30s, 5m or 24h, not '{text}'.");
    }

    return value;
}
