using System.CommandLine;
using System.CommandLine.Parsing;
using Samples;
using Samples.PingPong;

var rounds = new Option<int>("--rounds", "-n")
{
    Description = "How many round trips to play, after a short warm-up: 1 to 10,000,000.",
    HelpName = "number",
    DefaultValueFactory = _ => 50_000,
};
rounds.Validators.Add(result =>
{
    // A value that is no number already has an error of its own.
    if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value is < 1 or > 10_000_000)
    {
        result.AddError($"--rounds must be a number from 1 to 10,000,000, not {result.Tokens[0].Value}.");
    }
});

var transport = new Option<string>("--transport", "-t")
{
    Description = "The transport of the events: shared memory, a Unix socket, TCP, or a named pipe.",
    DefaultValueFactory = _ => "shm",
};
transport.AcceptOnlyFromAmong("shm", "uds", "tcp", "namedpipe");

var json = new Option<bool>("--json")
{
    Description = "Print the result as one JSON object, and nothing else, to the standard output.",
};
var picture = new Option<FileInfo?>("--picture")
{
    Description = "Also draw the result into this file, as SVG.",
    HelpName = "file",
};
picture.Validators.Add(result =>
{
    if (result.GetValue(picture)?.Directory is { Exists: false } directory)
    {
        result.AddError($"The directory '{directory.FullName}' of the --picture file does not exist.");
    }
});
var progress = ProgressOption.Create();

var root = new RootCommand(
    "Two state machines in two processes play ping-pong through the XStateNet event service.\n\n"
    + "  This process holds the machine 'ping'. It starts a second process, which holds the event hub and the machine\n"
    + "  'pong'. In each round Ping sends an event, and Pong sends one back.")
{
    rounds, transport, json, picture, progress,
};
root.SetAction((result, cancellationToken) => Match.RunAsync(
    ParseKind(result.GetRequiredValue(transport)),
    result.GetRequiredValue(rounds),
    result.GetValue(json),
    result.GetValue(picture),
    result.CreateView(progress, result.GetValue(json)),
    cancellationToken));

// The program uses this command to start its second process; it is not for people.
var address = new Argument<string>("address");
var serve = new Command("serve", "Hold the hub and the machine 'pong'.") { address };
serve.Hidden = true;
serve.Options.Add(transport);
serve.SetAction((result, _) => PongServer.RunAsync(
    new SampleEndpoint(ParseKind(result.GetRequiredValue(transport)), result.GetRequiredValue(address))));
root.Subcommands.Add(serve);

var receive = new Command("receive", "Hold the machine 'receiver'.") { address };
receive.Hidden = true;
receive.Options.Add(transport);
receive.SetAction((result, _) => EventStreamReceiver.RunAsync(
    new SampleEndpoint(ParseKind(result.GetRequiredValue(transport)), result.GetRequiredValue(address))));
root.Subcommands.Add(receive);

var events = new Option<int>("--events", "-n")
{
    Description = "How many events to send as fast as possible.",
    HelpName = "number",
    DefaultValueFactory = _ => 1_000_000,
};
var warmUp = new Option<int>("--warm-up")
{
    Description = "How many events to send before, until the code is compiled.",
    HelpName = "number",
    DefaultValueFactory = _ => 300_000,
};
warmUp.Validators.Add(RefuseNegative);
var steady = new Option<int>("--steady")
{
    Description = "How many seconds to send at a steady rate.",
    HelpName = "seconds",
    DefaultValueFactory = _ => 5,
};
steady.Validators.Add(RefuseNegative);
var stream = new Command(
    "stream", "Send events from this process to a third one, and print the figures as one JSON object.")
{
    warmUp, events, steady, transport, progress,
};
stream.SetAction((result, cancellationToken) => EventStream.RunAsync(
    ParseKind(result.GetRequiredValue(transport)),
    result.GetRequiredValue(warmUp),
    result.GetRequiredValue(events),
    result.GetRequiredValue(steady),
    result.CreateView(progress, outputIsForResult: true),
    cancellationToken));
root.Subcommands.Add(stream);

return await root.Parse(args).InvokeAsync();

static void RefuseNegative(OptionResult result)
{
    if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value < 0)
    {
        result.AddError($"{result.Option.Name} must not be negative, as {result.Tokens[0].Value} is.");
    }
}

static TransportKind ParseKind(string name) => Enum.Parse<TransportKind>(name, ignoreCase: true);
