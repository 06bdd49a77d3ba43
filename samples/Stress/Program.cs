using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Samples;
using Samples.Stress;
using Samples.Stress.Roles;

var producers = Count("--producers", "How many processes send events: 1 to 100.", 10, 1, 100);
var consumers = Count("--consumers", "How many processes get them, each from every producer: 1 to 100.", 10, 1, 100);
var inFlight = Count("--in-flight", "How many events from one producer to one consumer may be without an acknowledgement: 1 to 64.", 16, 1, LaneOptions.MostInFlight);
var payload = Count(
    "--payload", "The most bytes of an event's body; each has a length of its own: 0 to 1,048,576.", 512, 0, 1_048_576);
var seed = Count(
    "--seed", "What the choice of victims follows from. Random if not given.", Random.Shared.Next(), 0, int.MaxValue);
var rate = new Option<double>("--rate")
{
    Description = "Events a second of each producer; 0 for as many as get acknowledged.",
    HelpName = "number",
    DefaultValueFactory = _ => 500,
    CustomParser = result => Parse(result, 0.0, 1_000_000.0),
};
var duration = new Option<TimeSpan>("--duration")
{
    Description = "How long it goes on, from when all processes run: 30s, 5m, 24h.",
    HelpName = "time",
    DefaultValueFactory = _ => TimeSpan.FromSeconds(30),
    CustomParser = ParseDuration,
};
var killInterval = new Option<TimeSpan?>("--kill-interval")
{
    Description = "Kill a process (a producer, a consumer, the hub) about so often, and start it again. None is killed if not given.",
    HelpName = "time",
    CustomParser = result => ParseDuration(result),
};
var transport = new Option<string>("--transport", "-t")
{
    Description = "What carries the events: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");
var json = new Option<bool>("--json")
{
    Description = "Print the result as one JSON object, and nothing else, to the standard output.",
};

var root = new RootCommand(
    "Producers and consumers, each in a process of its own, exchange numbered and checksummed events through the hub's process.\n\n"
    + "  Processes are killed on the way, if you like. At the end every event must have been processed once, in order, whole.")
{
    producers, consumers, duration, killInterval, inFlight, payload, rate, transport, seed, json,
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
        Lanes = Lanes(result, result.GetValue(consumers)),
        Json = result.GetValue(json),
    },
    cancellationToken));

// How the program starts its other processes; not for people.
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
producer.SetAction((result, _) => ProducerProgram.RunAsync(
    result.GetValue(index),
    result.GetValue(others),
    result.GetRequiredValue(journal),
    Lanes(result, result.GetValue(others)),
    Endpoint(result)));
Add(producer);

var consumer = new Command("consumer", "Be a consumer.") { index, others, journal, address };
consumer.SetAction((result, _) => ConsumerProgram.RunAsync(
    result.GetValue(index), result.GetValue(others), result.GetRequiredValue(journal), Endpoint(result)));
Add(consumer);

return await root.Parse(args).InvokeAsync();

void Add(Command command)
{
    command.Hidden = true;
    command.Options.Add(transport);
    root.Subcommands.Add(command);
}

LaneOptions Lanes(ParseResult result, int lanes) =>
    new(result.GetValue(inFlight), result.GetValue(payload), result.GetValue(rate) / lanes);

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
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} must be a time such as 500ms, 30s, 5m or 24h, not '{text}'.");
    }

    return value;
}
