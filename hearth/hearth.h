// hearth: the whole framework in one include.
#pragma once

#include "hearth/autograd/checkpoint.h"
#include "hearth/autograd/engine.h"
#include "hearth/autograd/function.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/core/node.h"
#include "hearth/core/tensor.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"
