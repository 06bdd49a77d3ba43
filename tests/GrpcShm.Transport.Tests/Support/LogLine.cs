using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Tests.Support;

internal sealed record LogLine(LogLevel Level, string Name, string Text, Exception? Exception);
