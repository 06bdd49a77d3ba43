using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Completion;

public sealed class CompletionControlSocketTests() : ControlSocketContract(new CompletionMake());
