"""Layers to construct and call, written once for PyTorch (which froze the results) and for hearth (which is tested)."""
# Random layers are left out of training: their masks are compared elsewhere, under a seed.

CASES = [
    ('Linear(7,5)', 'R(3,7)'),
    ('Linear(7,5,bias=False)', 'R(3,7)'),
    ('Bilinear(2,3,4)', 'R(5,2),R(5,3)'),
    ('Identity(3,a=2)', 'R(2)'),
    ('LazyLinear(3)', 'R(2,5)'),
    ('Conv1d(4,6,3)', 'R(2,4,9)'),
    ("Conv1d(4,6,3,padding='same',dilation=2,groups=2)", 'R(2,4,9)'),
    ("Conv1d(4,6,4,padding='same',padding_mode='circular')", 'R(2,4,9)'),
    ("Conv2d(3,4,3,padding=1,padding_mode='reflect',bias=False)", 'R(2,3,6,6)'),
    ('Conv2d(3,4,(3,2),stride=2)', 'R(2,3,6,6)'),
    ('Conv3d(1,2,2)', 'R(1,1,4,4,4)'),
    ('ConvTranspose1d(4,6,3,stride=2)', 'R(2,4,9)'),
    ('ConvTranspose2d(3,4,3,stride=2,output_padding=1)', 'R(2,3,5,5)'),
    ('ConvTranspose2d(3,4,3,stride=2)', 'R(2,3,5,5),[12,12]'),
    ('ConvTranspose3d(1,2,2)', 'R(1,1,3,3,3)'),
    ('LazyConv1d(3,2)', 'R(2,4,6)'),
    ('LazyConv2d(3,2)', 'R(2,4,6,6)'),
    ('LazyConv3d(3,2)', 'R(1,2,4,4,4)'),
    ('LazyConvTranspose1d(3,2)', 'R(2,4,6)'),
    ('LazyConvTranspose2d(3,2)', 'R(2,4,6,6)'),
    ('LazyConvTranspose3d(3,2)', 'R(1,2,4,4,4)'),
    ('BatchNorm1d(4)', 'R(6,4)'),
    ('BatchNorm2d(4,momentum=None)', 'R(6,4,2,2)'),
    ('BatchNorm3d(4,affine=False)', 'R(2,4,2,2,2)'),
    ('BatchNorm2d(4,track_running_stats=False)', 'R(6,4,2,2)'),
    ('BatchNorm1d(4,bias=False)', 'R(6,4)'),
    ('LazyBatchNorm1d()', 'R(6,4)'),
    ('LazyBatchNorm2d()', 'R(6,4,2,2)'),
    ('LazyBatchNorm3d()', 'R(2,4,2,2,2)'),
    ('SyncBatchNorm(4)', 'R(6,4)'),
    ('InstanceNorm1d(4)', 'R(2,4,5)'),
    ('InstanceNorm2d(4,affine=True,track_running_stats=True)', 'R(2,4,5,5)'),
    ('InstanceNorm3d(4)', 'R(4,2,2,2)'),
    ('LazyInstanceNorm1d()', 'R(2,4,5)'),
    ('LazyInstanceNorm2d()', 'R(2,4,5,5)'),
    ('LazyInstanceNorm3d()', 'R(2,4,2,2,2)'),
    ('LayerNorm(4)', 'R(3,4)'),
    ('LayerNorm((3,4),bias=False)', 'R(2,3,4)'),
    ('LayerNorm(4,elementwise_affine=False)', 'R(2,4)'),
    ('GroupNorm(2,4)', 'R(2,4,3)'),
    ('GroupNorm(2,4,affine=False)', 'R(2,4,3)'),
    ('RMSNorm(4)', 'R(2,4)'),
    ('RMSNorm([4],eps=1e-3,elementwise_affine=False)', 'R(2,4)'),
    ('LocalResponseNorm(3)', 'R(2,5,3,3)'),
    ('CrossMapLRN2d(3,alpha=.1)', 'R(2,5,3,3)'),
    ('CrossMapLRN2d(4,alpha=.1)', 'R(2,5,3,3)'),
    ('CrossMapLRN2d(2,alpha=.1)', 'R(2,5,3,3)'),
    ('Dropout(.3)', 'R(20)'),
    ('Dropout1d()', 'R(3,4,5)'),
    ('Dropout2d()', 'R(3,4,5,2)'),
    ('Dropout3d()', 'R(3,4,5,2,2)'),
    ('AlphaDropout()', 'R(20)'),
    ('FeatureAlphaDropout()', 'R(3,4,5)'),
    ('MaxPool1d(2)', 'R(1,2,6)'),
    ('MaxPool2d(3,stride=2,padding=1,ceil_mode=True,return_indices=True)', 'R(1,2,6,6)'),
    ('MaxPool3d(2)', 'R(1,2,4,4,4)'),
    ('MaxUnpool1d(2)', 'R(1,2,3),I(1,2,3)'),
    ('MaxUnpool2d(2)', 'R(1,1,2,2),torch.tensor([[[[0,3],[9,15]]]])'),
    ('MaxUnpool3d((2,2,2))', 'R(1,1,1,1,1),torch.tensor([[[[[3]]]]])'),
    ('AvgPool1d(2)', 'R(1,2,6)'),
    ('AvgPool2d(3,padding=1,count_include_pad=False)', 'R(1,2,6,6)'),
    ('AvgPool3d(2,divisor_override=3)', 'R(1,2,4,4,4)'),
    ('FractionalMaxPool2d(2,output_ratio=.5)', 'R(1,2,6,6)'),
    ('FractionalMaxPool3d(2,output_size=2)', 'R(1,2,6,6,6)'),
    ('LPPool1d(2,3)', 'R(1,2,6).abs()'),
    ('LPPool2d(1.5,3,stride=2)', 'R(1,2,6,6).abs()'),
    ('LPPool3d(2,2)', 'R(1,2,4,4,4).abs()'),
    ('AdaptiveAvgPool1d(3)', 'R(1,2,6)'),
    ('AdaptiveAvgPool2d((3,None))', 'R(1,2,6,5)'),
    ('AdaptiveAvgPool3d(2)', 'R(1,2,4,4,4)'),
    ('AdaptiveMaxPool1d(3)', 'R(1,2,6)'),
    ('AdaptiveMaxPool2d((3,None),return_indices=True)', 'R(1,2,6,5)'),
    ('AdaptiveMaxPool3d(2)', 'R(1,2,4,4,4)'),
    ('CircularPad1d(1)', 'R(1,2,4)'),
    ('CircularPad2d((1,0,2,1))', 'R(1,2,4,4)'),
    ('CircularPad3d(1)', 'R(1,2,4,4,4)'),
    ('ConstantPad1d(2,1.5)', 'R(1,2,4)'),
    ('ConstantPad2d((1,2,0,1),3)', 'R(1,2,4,4)'),
    ('ConstantPad3d(1,2.)', 'R(1,1,2,2,2)'),
    ('ReflectionPad1d(1)', 'R(1,2,4)'),
    ('ReflectionPad2d(1)', 'R(1,2,4,4)'),
    ('ReflectionPad3d(1)', 'R(1,1,3,3,3)'),
    ('ReplicationPad1d((1,2))', 'R(1,2,4)'),
    ('ReplicationPad2d(1)', 'R(1,2,4,4)'),
    ('ReplicationPad3d(1)', 'R(1,1,3,3,3)'),
    ('ZeroPad1d(1)', 'R(1,2,4)'),
    ('ZeroPad2d((1,-1,2,0))', 'R(1,2,4,4)'),
    ('ZeroPad3d(1)', 'R(1,1,2,2,2)'),
    ('Threshold(0.1,20)', 'R(9)'),
    ('Threshold(0.1,20,True)', 'R(9)'),
    ('ReLU()', 'R(9)'),
    ('ReLU(inplace=True)', 'R(9)'),
    ('RReLU()', 'R(9)'),
    ('Hardtanh()', 'R(9)'),
    ('Hardtanh(-2,2,inplace=True)', 'R(9)'),
    ('ReLU6()', 'R(9)'),
    ('Sigmoid()', 'R(9)'),
    ('Hardsigmoid(True)', 'R(9)'),
    ('Tanh()', 'R(9)'),
    ('SiLU()', 'R(9)'),
    ('Mish()', 'R(9)'),
    ('Hardswish()', 'R(9)'),
    ('ELU(.5)', 'R(9)'),
    ('CELU()', 'R(9)'),
    ('SELU(True)', 'R(9)'),
    ('GLU()', 'R(8)'),
    ('GELU()', 'R(9)'),
    ("GELU('tanh')", 'R(9)'),
    ('Hardshrink()', 'R(9)'),
    ('LeakyReLU(.2,True)', 'R(9)'),
    ('LogSigmoid()', 'R(9)'),
    ('Softplus()', 'R(9)'),
    ('Softshrink()', 'R(9)'),
    ('PReLU(3)', 'R(2,3)'),
    ('Softsign()', 'R(9)'),
    ('Tanhshrink()', 'R(9)'),
    ('Softmin(0)', 'R(9)'),
    ('Softmax(-1)', 'R(3,3)'),
    ('Softmax2d()', 'R(3,3,3)'),
    ('LogSoftmax(1)', 'R(3,3)'),
    ('MultiheadAttention(8,2)', 'R(4,2,8),R(5,2,8),R(5,2,8)'),
    ('MultiheadAttention(8,2,batch_first=True,kdim=3,vdim=5,add_bias_kv=True,add_zero_attn=True)', 'R(2,4,8),R(2,5,3),R(2,5,5)'),
    ('MultiheadAttention(8,2,bias=False,batch_first=True)', 'R(2,4,8),R(2,4,8),R(2,4,8)'),
    ('L1Loss()', 'R(3),R(3)'),
    ('NLLLoss(weight=torch.arange(1.,5.))', 'R(3,4),I(3)'),
    ('PoissonNLLLoss()', 'R(3),R(3)'),
    ('GaussianNLLLoss()', 'R(3),R(3),R(3).abs()'),
    ("KLDivLoss(reduction='batchmean')", 'R(3,2),R(3,2).abs()'),
    ("MSELoss(reduction='sum')", 'R(3),R(3)'),
    ('BCELoss()', 'U(3),U(3)'),
    ('BCEWithLogitsLoss(pos_weight=torch.ones(3)*2)', 'R(3),U(3)'),
    ('HingeEmbeddingLoss()', 'R(3),S(3)'),
    ('MultiLabelMarginLoss()', 'R(2,3),torch.tensor([[0,2,-1],[1,-1,0]])'),
    ('SmoothL1Loss(beta=.5)', 'R(3),R(3)'),
    ('HuberLoss(delta=.5)', 'R(3),R(3)'),
    ('SoftMarginLoss()', 'R(3),S(3)'),
    ('CrossEntropyLoss(label_smoothing=.1,weight=torch.arange(1.,5.))', 'R(3,4),I(3)'),
    ('LinearCrossEntropyLoss(3,4)', 'R(5,3),I(5)'),
    ('LinearCrossEntropyLoss(3,4,out_features=(2,),bias=True)', 'R(5,3),I(5,2)'),
    ('MultiLabelSoftMarginLoss()', 'R(2,3),U(2,3).round()'),
    ('CosineEmbeddingLoss(.1)', 'R(3,4),R(3,4),S(3)'),
    ('MarginRankingLoss(.2)', 'R(3),R(3),S(3)'),
    ('MultiMarginLoss(p=2,margin=.5)', 'R(3,4),I(3)'),
    ('TripletMarginLoss(swap=True)', 'R(3,4),R(3,4),R(3,4)'),
    ('TripletMarginWithDistanceLoss()', 'R(3,4),R(3,4),R(3,4)'),
    ('CTCLoss()', 'R(5,2,4).log_softmax(2),torch.tensor([[1,2],[3,1]]),torch.tensor([5,5]),torch.tensor([2,2])'),
    ('CosineSimilarity()', 'R(3,4),R(3,4)'),
    ('PairwiseDistance(keepdim=True)', 'R(3,4),R(3,4)'),
    ('Flatten()', 'R(2,3,4)'),
    ('Unflatten(1,(2,2))', 'R(2,4)'),
    ('Fold((4,5),(2,2))', 'R(1,8,12)'),
    ('Unfold((2,3))', 'R(1,2,4,4)'),
    ('PixelShuffle(2)', 'R(1,4,2,2)'),
    ('PixelUnshuffle(2)', 'R(1,1,4,4)'),
    ('ChannelShuffle(2)', 'R(1,4,2,2)'),
    ('Upsample(scale_factor=2)', 'R(1,2,3,3)'),
    ("Upsample(size=(5,4),mode='bilinear',align_corners=True)", 'R(1,2,3,3)'),
    ('UpsamplingNearest2d(5)', 'R(1,2,3,3)'),
    ('UpsamplingBilinear2d(scale_factor=2)', 'R(1,2,3,3)'),
    ('Embedding(10,6)', 'I(3)'),
    ('Embedding(10,6,padding_idx=-2)', 'I(3)'),
    ('Embedding(4,3,max_norm=1.,norm_type=1.,scale_grad_by_freq=True,sparse=False)', 'I(3)'),
    ('EmbeddingBag(10,3)', 'I(4,2)'),
    ("EmbeddingBag(10,3,mode='sum',padding_idx=1)", 'I(4),torch.tensor([0,2])'),
    ('RNN(4,3)', 'R(5,2,4)'),
    ("RNN(4,3,2,'relu',batch_first=True)", 'R(2,5,4)'),
    ('LSTM(4,3)', 'R(5,2,4)'),
    ('LSTM(4,3,num_layers=2,bidirectional=True,batch_first=True,dropout=.5)', 'R(2,5,4)'),
    ('LSTM(4,3,proj_size=2,bias=False)', 'R(5,4)'),
    ('GRU(4,3,num_layers=2,bidirectional=True)', 'R(5,2,4)'),
    ('GRU(4,3)', 'R(5,2,4),R(1,2,3)'),
    ('RNNCell(4,3)', 'R(2,4)'),
    ("RNNCell(4,3,nonlinearity='relu',bias=False)", 'R(4)'),
    ('LSTMCell(4,3)', 'R(2,4)'),
    ('LSTMCell(4,3)', 'R(4),(R(3),R(3))'),
    ('GRUCell(4,3)', 'R(2,4),R(2,3)'),
    ('TransformerEncoderLayer(8,2,16)', 'R(4,2,8)'),
    ("TransformerEncoderLayer(8,2,16,norm_first=True,batch_first=True,activation='gelu',bias=False)", 'R(2,4,8)'),
    ('TransformerDecoderLayer(8,2,16)', 'R(4,2,8),R(5,2,8)'),
    ('TransformerEncoder(nn.TransformerEncoderLayer(8,2,16,batch_first=True),2,nn.LayerNorm(8))', 'R(2,4,8)'),
    ('TransformerDecoder(nn.TransformerDecoderLayer(8,2,16),2)', 'R(4,2,8),R(5,2,8)'),
    ('Transformer(8,2,1,1,16)', 'R(4,2,8),R(5,2,8)'),
    ('AdaptiveLogSoftmaxWithLoss(8,10,[2,6],div_value=2.)', 'R(5,8),torch.tensor([0,2,5,7,9])'),
    ('Sequential(nn.Linear(3,4),nn.ReLU(),nn.Linear(4,2))', 'R(2,3)'),
    ('ModuleList([nn.ReLU(),nn.ReLU(),nn.Tanh()])', None),
    ("ModuleDict({'a':nn.ReLU(),'b':nn.Linear(1,2)})", None),
    ('ParameterList([torch.ones(2),3,torch.ones(1,2)])', None),
    ("ParameterDict({'b':torch.ones(2),'a':3})", None),
]


def _numbers(torch, shape, step, low=-1.0):
    count = 1
    for n in shape:
        count *= n
    values = [((i * step) % 1.0) for i in range(count)]
    return torch.tensor([low + (1.0 - low) * v for v in values], dtype=torch.float32).reshape(shape)


def inputs(torch, text):
    """The tensors of a case: R real, U in [0, 1), I classes 0..3, S signs; the same numbers everywhere."""
    used = [0]

    def real(*shape):
        used[0] += 1
        return _numbers(torch, shape, 0.618033988749895 / used[0], -1.5)

    def share(*shape):
        used[0] += 1
        return _numbers(torch, shape, 0.41421356237309515 / used[0], 0.0)

    def classes(*shape):
        return (share(*shape) * 4).long()

    def signs(*shape):
        return (share(*shape) * 2).floor() * 2 - 1

    names = {"torch": torch, "R": real, "U": share, "I": classes, "S": signs}
    return eval(f"({text},)", names)


def tensors(result):
    """All tensors in a result, depth first."""
    if hasattr(result, "shape"):
        return [result]
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in tensors(part)]
    return []


def _short(tensor):
    """Shape, sum, weighted sum: enough to tell two tensors apart."""
    flat = tensor.detach().double().reshape(-1)
    weights = torch_like(flat)
    return [list(tensor.shape), flat.sum().item(), (flat * weights).sum().item()]


def torch_like(flat):
    return flat.new_tensor([1.0 + (i * 0.37) % 1.0 for i in range(flat.numel())])


def run(torch, case):
    """What one case gives: repr, names and sizes of the state dict, results of training and evaluation, gradients."""
    expression, text = case
    torch.manual_seed(3)
    module = eval("nn." + expression, {"nn": torch.nn, "torch": torch})
    record = {"case": expression, "repr": repr(module)}
    if text is not None:
        args = inputs(torch, text)
        torch.manual_seed(5)
        if any(word in repr(module) for word in ("Dropout", "RReLU", "dropout=0.5", "Fractional")):
            module.eval()
        result = module(*args)
        with_grad = [t for t in tensors(result) if t.requires_grad]
        record["results"] = [_short(t) for t in tensors(result)]
        if with_grad:
            sum((t * t).sum() for t in with_grad).backward()
            record["grads"] = [None if p.grad is None else _short(p.grad) for p in module.parameters()]
        record["repr_after"] = repr(module)
        if "Fractional" not in expression:
            module.eval()
            with torch.no_grad():
                record["evaluated"] = [_short(t) for t in tensors(module(*inputs(torch, text)))]
    state = module.state_dict()
    record["state"] = {key: _short(value) for key, value in state.items() if hasattr(value, "shape")}
    record["versions"] = {key: value["version"] for key, value in state._metadata.items()}
    return record

